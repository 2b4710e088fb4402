/**
 * All rooms of the user, kept equal to the server by the rule of `rule.js`.
 *
 * Emits `change room` (something in it), `list` (rooms came, went or moved),
 * `removed id`, `mine message` (one of this user's arrived) and `unsent-read room`
 * (this device has read further than the server knows).
 */

import { Emitter } from "./emitter.js";
import { applyMembership, leavesMe } from "./membership.js";
import { Pulls } from "./pulls.js";
import { newRecord, see, takeCounts, takeDescription, takeStart } from "./record.js";
import { applyBehind, applyEvent, applySync, beginSync, upsert } from "./rule.js";
import { applyHistory } from "./timeline.js";
import { countChange, markRead } from "./unread.js";

const FEED = ["chat", "group", "private", "join_room", "leave_room", "room_update", "skip"];
const ASK_AGAIN = 2000; // ms
const GATHER = 30; // ms

export class Rooms extends Emitter {
  #me;
  #request;
  #rooms = new Map();
  #pulls;
  #pushing = false; // the server is still answering `auth.since`
  #refreshing;
  #handlers = {
    sync: (payload) => this.#pages(payload),
    room_behind: (payload) => this.#behind(payload),
    read: (payload) => this.#readBy(payload),
  };

  /**
   * @param {object} parts
   * @param {string} parts.me
   * @param {(event: string, payload: object) => Promise<object>} parts.request
   */
  constructor({ me, request }) {
    super();
    this.#me = me;
    this.#request = request;
    this.#pulls = new Pulls({ request, take: (id, reply) => this.#page(id, reply) });
    for (const name of FEED) this.#handlers[name] = (event) => this.#live(event);
  }

  /** @returns {object[]} */
  all() {
    return [...this.#rooms.values()];
  }

  get(id) {
    return this.#rooms.get(id);
  }

  /** The direct room with a user, if there is one. */
  direct(user) {
    return this.all().find((room) => room.info?.type === "direct" && this.peer(room) === user);
  }

  /** The other one in a direct room. */
  peer(room) {
    const members = room.info?.members ?? [];
    return members.find((user) => user !== this.#me) ?? members[0];
  }

  /** Take what an earlier page load stored. */
  load(records) {
    for (const record of records) {
      if (!this.#rooms.has(record.id)) this.#rooms.set(record.id, record);
      beginSync(record.log);
    }
    this.emit("list");
  }

  /** Cursors for CONNECT; undefined when nothing is known: then the unread part comes. */
  since() {
    const cursors = this.all()
      .slice(0, 500)
      .map((room) => [room.id, room.log.cursor]);
    return cursors.length ? Object.fromEntries(cursors) : undefined;
  }

  /** The connection is up: the server brings every room up to date by itself. */
  connected() {
    this.#pushing = true;
    for (const room of this.all()) beginSync(room.log);
    this.refresh();
  }

  /** @returns {boolean} whether everything missed has arrived */
  get upToDate() {
    return !this.#pushing;
  }

  /** Take an event of the server. */
  take(name, payload) {
    this.#handlers[name]?.(payload);
  }

  /** Ask for names, members and counts of all rooms. */
  async refresh() {
    clearTimeout(this.#refreshing);
    try {
      const { rooms } = await this.#request("rooms", {});
      for (const item of rooms) this.#describe(item);
      this.emit("list");
      this.#pullRest();
    } catch (error) {
      if (error.code === "offline") return; // the next connect asks again
      if (!error.retryable) throw error;
      this.#refreshing = setTimeout(() => this.refresh(), error.retryAfter ?? ASK_AGAIN);
    }
  }

  /** Take the ack of `create_room` and `join_room`. */
  entered({ room, membership, can, sync }) {
    const record = this.#open(room.id);
    Object.assign(record, { info: room, membership, can });
    // Its own join event may have started a sync already; that one will do.
    if (sync && !this.#pulls.has(record)) this.#page(room.id, sync);
    this.#changed(record);
    this.emit("list");
    return record;
  }

  /** Take messages that acks or history show: they never move the cursor. */
  show(roomId, messages) {
    const room = this.#rooms.get(roomId);
    if (!room) return this.#unknown(roomId);
    for (const message of messages) this.#tracked(room, message, () => upsert(room.log, message));
    this.#changed(room);
  }

  /** Take a page of history. */
  older(room, page, before) {
    applyHistory(room, page, before);
    for (const message of page.messages) this.#tell(message);
    this.#changed(room);
  }

  /** The user has read up to `seq` here. */
  read(room, seq) {
    if (markRead(room, seq, this.#me)) this.#changed(room);
  }

  remove(id) {
    if (this.#rooms.delete(id)) this.emit("removed", id);
    this.emit("list");
  }

  // -- live ------------------------------------------------------------------

  #live(event) {
    const room = this.#rooms.get(event.room_id);
    if (!room) return leavesMe(event, this.#me) ? undefined : this.#unknown(event.room_id);
    const verdict = this.#tracked(room, event, () => applyEvent(room.log, event));
    if (verdict === "sync") this.#pulls.start(room);
    if (verdict !== "applied") return;
    if (leavesMe(event, this.#me)) return this.remove(room.id);
    this.#follow(room, event);
    this.#changed(room);
  }

  #behind({ room_id: id }) {
    const room = this.#rooms.get(id);
    if (!room) return this.#unknown(id);
    if (applyBehind(room.log) === "sync") this.#pulls.start(room);
  }

  #readBy({ room_id: id, user_id: user, read_seq: seq }) {
    const room = this.#rooms.get(id);
    if (!room) return;
    if (user === this.#me) markRead(room, seq, this.#me);
    else see(room, user, seq);
    this.#changed(room);
  }

  /** Somebody made this user a member: everything about the room is still to come. */
  #unknown(id) {
    this.#pulls.start(this.#open(id));
    this.#refreshSoon();
  }

  // -- catching up -------------------------------------------------------------

  #pages({ rooms, done }) {
    for (const [id, reply] of Object.entries(rooms ?? {})) this.#page(id, reply);
    if (done) this.#pushing = false;
    this.emit("list");
    this.#pullRest();
  }

  #page(id, reply) {
    const room = this.#open(id);
    takeStart(room, reply);
    const verdict = applySync(room.log, reply);
    if (verdict === "gone") return this.#gone(id);
    for (const event of reply.events) this.#follow(room, event);
    if (takeCounts(room, reply, this.#me) && verdict === "live") this.emit("unsent-read", room);
    if (!room.info) this.#refreshSoon();
    this.#changed(room);
    return verdict;
  }

  #gone(id) {
    this.remove(id);
    return "gone";
  }

  /** Names and settings come by `rooms` alone; one question answers for many events. */
  #refreshSoon() {
    clearTimeout(this.#refreshing);
    this.#refreshing = setTimeout(() => this.refresh(), GATHER);
  }

  /** Ask for what nobody will push: rooms beyond the first 500, rooms joined meanwhile. */
  async #pullRest() {
    if (this.#pushing) return;
    for (const room of this.all()) if (room.log.syncing) await this.#pulls.start(room);
  }

  // -- records -----------------------------------------------------------------

  #open(id) {
    let room = this.#rooms.get(id);
    if (!room) {
      room = newRecord(id);
      beginSync(room.log);
      this.#rooms.set(id, room);
    }
    return room;
  }

  #describe(item) {
    const room = this.#open(item.room.id);
    takeDescription(room, item);
    this.#changed(room);
  }

  /** Run `apply`, and count what it did to the message. */
  #tracked(room, message, apply) {
    const before = room.log.messages[message.id];
    const result = apply();
    const after = room.log.messages[message.id];
    if (after !== before) countChange(room, before, after, this.#me);
    return result;
  }

  /** What an event tells beside its message. */
  #follow(room, event) {
    if (event.from && event.from !== this.#me) see(room, event.from, event.seq);
    if (event.type === "room_update") this.#refreshSoon();
    applyMembership(room, event);
    this.#tell(event);
  }

  #tell(message) {
    if (message.from === this.#me && message.client_id) this.emit("mine", message);
  }

  #changed(room) {
    this.emit("change", room);
  }
}
