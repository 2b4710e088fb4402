/**
 * All rooms of the user, kept equal to the server by the rule of `rule.js`.
 *
 * Emits `change room` (something in it), `list` (rooms came, went or moved), `removed id`,
 * `described` (all of them), `mine message` (one of this user's arrived), `said room message` (live
 * and new, by somebody else), `unsent-read room` (this device has read further than the server
 * knows), `waiting views` (of `rooms`), `stray row` (about this user, in a room she is not in),
 * `sent-away room row` (kicked or banned) and `gone room` (without a word why).
 */

import { CatchingUp } from "./catching-up.js";
import { Emitter } from "./emitter.js";
import { applyToInfo, leavesMe, standingAfter } from "./membership.js";
import { applyToPeople, countPeople } from "./people.js";
import { newRecord, restored, see, takeView } from "./record.js";
import { applyEvent, beginSync, upsert } from "./rule.js";
import { applyHistory } from "./timeline.js";
import { counting, isUnread, markRead } from "./unread.js";
import { Views } from "./views.js";

const FEED = ["chat", "group", "private", "join_room", "leave_room", "room_update", "skip"];

export class Rooms extends Emitter {
  #me;
  #rooms = new Map();
  #catchingUp;
  #views;
  #handlers = {
    sync: (payload) => this.#synced(payload),
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
    this.#catchingUp = new CatchingUp({
      me,
      request,
      rooms: { all: () => this.all(), open: (id) => this.#open(id) },
      on: {
        row: (room, event) => this.#follow(room, event),
        page: (room) => this.#paged(room),
        gone: (room) => this.#gone(room),
        unread: (room) => this.emit("unsent-read", room),
      },
    });
    this.#views = new Views({
      request,
      on: {
        room: (view) => this.describe(view),
        waiting: (views) => this.emit("waiting", views),
        done: () => this.#described(),
      },
    });
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
    return this.all().find((room) => room.info?.type === "direct" && room.peer === user);
  }

  /** Take what an earlier page load stored. */
  load(records) {
    for (const record of records) {
      if (!this.#rooms.has(record.id)) this.#rooms.set(record.id, restored(record, this.#me));
      beginSync(record.log);
    }
    this.emit("list");
  }

  /** Cursors for CONNECT; undefined when nothing is known: then the unread part comes. */
  since() {
    const cursors = this.all()
      .filter((room) => !room.watching)
      .slice(0, 500)
      .map((room) => [room.id, room.log.cursor]);
    return cursors.length ? Object.fromEntries(cursors) : undefined;
  }

  /** The connection is up: the server brings every room up to date by itself. */
  connected() {
    this.#catchingUp.begin();
    this.#views.all();
  }

  /** @returns {boolean} whether everything missed has arrived */
  get upToDate() {
    return this.#catchingUp.done;
  }

  /** Take an event of the server. */
  take(name, payload) {
    this.#handlers[name]?.(payload);
  }

  /** Take the ack of `create_room`, `join_room` and `watch`. */
  entered({ sync, ...view }, { watching = false } = {}) {
    const room = this.#open(view.room.id);
    room.watching = watching;
    this.#view(room, view);
    this.#catchingUp.handed(room, sync);
    this.emit("list");
    return room;
  }

  /** Take a view of a room, unless the room was left since it was asked for. */
  describe(view) {
    const known = this.#rooms.get(view.room.id);
    if (known || view.membership?.state === "member") this.#view(this.#open(view.room.id), view);
  }

  /** Ask what the server says of a room now. */
  refresh(room) {
    this.#views.one(room.id);
  }

  /** Take messages that acks or history show: they never move the cursor. */
  show(roomId, messages) {
    const room = this.#rooms.get(roomId);
    if (!room) return this.#unknown(roomId);
    for (const message of messages)
      counting(room, message.id, this.#me, () => upsert(room.log, message));
    this.changed(room);
  }

  /** Take a page of history. */
  older(room, page, before) {
    applyHistory(room, page, before);
    for (const message of page.messages) this.#tell(message);
    this.changed(room);
  }

  /** The user has read up to `seq` here. */
  read(room, seq) {
    if (markRead(room, seq, this.#me)) this.changed(room);
  }

  /** Something about a room is different: its log, or what is kept beside it. */
  changed(room) {
    this.emit("change", room);
  }

  remove(id) {
    this.#views.forget(id);
    if (this.#rooms.delete(id)) this.emit("removed", id);
    this.emit("list");
  }

  /** Ask nothing more. */
  close() {
    this.#views.forget();
  }

  // -- live ------------------------------------------------------------------

  #live(event) {
    const room = this.#rooms.get(event.room_id);
    if (!room) return this.#stray(event);
    if (room.watching) this.#watched(room, event);
    const verdict = counting(room, event.id, this.#me, () => applyEvent(room.log, event));
    if (verdict === "sync") this.#catchingUp.start(room);
    if (verdict !== "applied") return;
    if (leavesMe(event, this.#me)) return this.#left(room, event);
    countPeople(room, event);
    this.#follow(room, event);
    if (isUnread(event, this.#me, room.read_seq) && event.rev === event.seq)
      this.emit("said", room, event);
    this.changed(room);
  }

  /** A row of a room that is not here: this user was made a member, unless it says otherwise. */
  #stray(event) {
    const standing = event.content && standingAfter(event);
    const outside = standing?.user === this.#me && standing.state !== "member";
    if (outside) this.emit("stray", event);
    else this.#unknown(event.room_id);
  }

  /** Who looks in hears of her request by a row of her own, at the position of a `skip`. */
  #watched(room, event) {
    if (!event.content || standingAfter(event)?.user !== this.#me) return;
    this.emit("stray", event);
    this.#views.one(room.id);
  }

  #left(room, event) {
    this.remove(room.id);
    if (event.content.reason !== "left") this.emit("sent-away", room, event);
  }

  #behind({ room_id: id }) {
    const room = this.#rooms.get(id);
    if (room) this.#catchingUp.behind(room);
    else this.#unknown(id);
  }

  #readBy({ room_id: id, user_id: user, read_seq: seq }) {
    const room = this.#rooms.get(id);
    if (!room) return;
    if (user === this.#me) markRead(room, seq, this.#me);
    else see(room, user, seq);
    this.changed(room);
  }

  /** Somebody made this user a member: everything about the room is still to come. */
  #unknown(id) {
    this.#catchingUp.start(this.#open(id));
    this.#views.soon();
  }

  // -- catching up -------------------------------------------------------------

  #synced(payload) {
    this.#catchingUp.pages(payload);
    this.emit("list");
  }

  #paged(room) {
    if (!room.info) this.#views.soon();
    this.changed(room);
  }

  #gone(room) {
    this.remove(room.id);
    if (room.info) this.emit("gone", room);
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

  #view(room, view) {
    takeView(room, view, this.#me);
    this.#views.at(room.id, view.membership?.muted_until);
    this.changed(room);
  }

  #described() {
    this.emit("list");
    this.emit("described");
    this.#catchingUp.rest();
  }

  /** What an event tells beside its message. */
  #follow(room, event) {
    if (!event.content) return; // skip
    if (event.from && event.from !== this.#me) see(room, event.from, event.seq);
    applyToPeople(room, event);
    if (applyToInfo(room, event, this.#me)) this.#views.one(room.id);
    this.#tell(event);
  }

  #tell(message) {
    if (message.from === this.#me && message.client_id) this.emit("mine", message);
  }
}
