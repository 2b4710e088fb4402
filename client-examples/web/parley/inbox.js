/**
 * The inbox of notifications, kept equal to the server by the rule of `rule.js`, for one log.
 *
 * Emits `change`; `live` when it has caught up; `news notification` for each that came since the
 * page was opened, and `passing notification` for one that is in no inbox.
 */

import { Emitter } from "./emitter.js";
import {
  inboxPage,
  isAbout,
  known,
  newInbox,
  restoredInbox,
  takeListed,
  unreadAfter,
} from "./letters.js";
import { Pulls } from "./pulls.js";
import { applyBehind, applyEvent, applySync, beginSync, revOf, upsert } from "./rule.js";

const AT_ONCE = 200; // ids of one request
const PAGE = 50; // notifications
const COUNT_AFTER = 300; // ms

export class Inbox extends Emitter {
  #connection;
  #record = newInbox();
  #pulls;
  #pushing = false; // the server is still answering `auth.since`
  #caughtUp = false; // once, since the page was opened
  #absent = false; // this server has no inbox
  #reading = new Set(); // ids
  #recount; // timer
  #handlers = {
    notification: (event) => this.#heard(event),
    sync: (reply) => this.#pushed(reply),
    inbox_behind: () => this.#behind(),
    mute: ({ room_id: id, muted }) => this.#muted(id, muted),
  };

  /**
   * @param {object} parts
   * @param {import("./connection.js").Connection} parts.connection   to `/notification`
   */
  constructor({ connection }) {
    super();
    this.#connection = connection;
    this.#pulls = new Pulls({
      ask: ({ log }) => connection.request("sync", { inbox: log.cursor }),
      take: (_, reply) => this.#page(reply),
    });
    connection.on("up", () => this.#up());
    connection.on("refused", () => this.#refused());
    connection.on("event", (name, payload) => this.#handlers[name]?.(payload));
  }

  /** What is to be stored. */
  get record() {
    return this.#record;
  }

  /** Whether there is an inbox, as far as is known. */
  get there() {
    return !this.#absent && this.#record.log.cursor !== null;
  }

  get unread() {
    return this.#record.unread;
  }

  /** Those without a hole between them, newest first. */
  all() {
    return known(this.#record);
  }

  get(id) {
    return this.#record.log.messages[id];
  }

  /** Whether older ones can be loaded. */
  get hasMore() {
    return this.#record.from_seq !== 0;
  }

  /** Whether a room is muted. */
  mutes(roomId) {
    return this.#record.muted.includes(roomId);
  }

  /** What CONNECT asks for. */
  since() {
    return { inbox: this.#record.log.cursor };
  }

  /** Take what an earlier page load stored. */
  load(record) {
    if (!record) return;
    this.#record = restoredInbox(record);
    beginSync(this.#record.log);
    this.emit("change");
  }

  close() {
    clearTimeout(this.#recount);
  }

  // -- what the user does: at once, or not at all ------------------------------------------

  /** Load the first page, unless it is there. */
  async open() {
    if (this.#record.from_seq === null) await this.more();
  }

  /** Load the page before the known part. */
  async more() {
    const { next } = this.#record;
    const ask = next ? { cursor: next, limit: PAGE } : { limit: inboxPage(this.#record, PAGE) };
    const page = await this.#connection.request("list", ask);
    takeListed(this.#record, page);
    // Events may still be on their way that are counted in it.
    this.#countAgain();
    this.emit("change");
  }

  /** Mark some as read; what that does comes as events. */
  async read(ids) {
    for (const some of chunks(ids)) await this.#connection.request("read", { ids: some });
  }

  /** Mark as read all that this client knows of, and no newer one. */
  async readAll() {
    const seqs = Object.values(this.#record.log.messages).map(({ seq }) => seq);
    if (seqs.length) await this.#connection.request("read", { up_to: Math.max(...seqs) });
  }

  async delete(ids) {
    for (const some of chunks(ids)) await this.#connection.request("delete", { ids: some });
  }

  /** Have no notifications about a room any more, or have them again. */
  async mute(roomId, muted) {
    await this.#connection.request("mute", { room_id: roomId, muted });
    this.#muted(roomId, muted);
  }

  /** Messages of a room were read: so are the notifications about them. */
  roomRead(roomId, seq) {
    if (!this.#record.unread || !this.#connection.online) return;
    const ids = Object.values(this.#record.log.messages)
      .filter((one) => isAbout(one, roomId, seq) && !this.#reading.has(one.id))
      .map(({ id }) => id);
    for (const id of ids) this.#reading.add(id);
    // Where it fails, the next look at the room does the same.
    const over = () => ids.forEach((id) => this.#reading.delete(id));
    this.read(ids).then(over, over);
  }

  // -- catching up -------------------------------------------------------------------------

  #up() {
    this.#absent = false;
    this.#pushing = true;
    beginSync(this.#record.log);
  }

  #refused() {
    this.#absent = true;
    this.emit("change");
  }

  #pushed(reply) {
    this.#page(reply);
    if (!reply.done) return;
    this.#pushing = false;
    if (this.#record.log.syncing) this.#pulls.start(this.#record);
  }

  #page(reply) {
    const { log } = this.#record;
    const before = { ...log.messages };
    const from = reply.state === "reset" ? -1 : revOf(log.cursor);
    if (reply.state === "reset") Object.assign(this.#record, { from_seq: null, next: null });
    const verdict = applySync(log, reply);
    Object.assign(this.#record, { unread: reply.unread, muted: reply.muted_rooms });
    // Without a cursor everything that is unread comes, and nothing of it is news.
    if (this.#caughtUp)
      for (const event of reply.events) this.#tellNews(before[event.id], event, from);
    if (verdict === "live") this.#caughtUp = true;
    this.emit("change");
    if (verdict === "live") this.emit("live");
    return verdict;
  }

  #behind() {
    if (applyBehind(this.#record.log) === "sync") this.#pulls.start(this.#record);
  }

  // -- live --------------------------------------------------------------------------------

  #heard(event) {
    if (event.seq === undefined) return this.emit("passing", event);
    const { log } = this.#record;
    const before = log.messages[event.id];
    const from = revOf(log.cursor);
    // What comes while syncing is true, but says nothing of what lies before it.
    if (log.syncing) upsert(log, event);
    else if (applyEvent(log, event) === "applied") this.#count(before, log.messages[event.id]);
    if (log.syncing && !this.#pushing) this.#pulls.start(this.#record);
    if (this.#caughtUp) this.#tellNews(before, event, from);
    this.emit("change");
  }

  #count(before, after) {
    const unread = unreadAfter(this.#record.unread, before, after);
    if (unread === undefined) return this.#countAgain();
    this.#record.unread = unread;
  }

  /** It cannot be told from here; and so it is until the answer comes. */
  #countAgain() {
    clearTimeout(this.#recount);
    this.#recount = setTimeout(async () => {
      try {
        const { unread } = await this.#connection.request("unread_count", {});
        this.#record.unread = unread;
        this.emit("change");
      } catch {
        // The next sync has it.
      }
    }, COUNT_AFTER);
  }

  /** An older one that has changed is no news, though it may not be known here. */
  #tellNews(before, event, from) {
    if (!before && event.seq > from && !event.read && !event.deleted) this.emit("news", event);
  }

  #muted(roomId, muted) {
    const others = this.#record.muted.filter((id) => id !== roomId);
    this.#record.muted = muted ? [...others, roomId] : others;
    this.emit("change");
  }
}

function chunks(ids) {
  const parts = Math.ceil(ids.length / AT_ONCE);
  return Array.from({ length: parts }, (_, i) => ids.slice(i * AT_ONCE, (i + 1) * AT_ONCE));
}
