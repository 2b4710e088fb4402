/**
 * How rooms come up to date: by the syncs that the server pushes after CONNECT, and by those this
 * client asks for where it missed something.
 */

import { Pulls } from "./pulls.js";
import { takeCounts, takeStart, takeView } from "./record.js";
import { applyBehind, applySync, beginSync } from "./rule.js";

export class CatchingUp {
  #me;
  #request;
  #rooms;
  #on;
  #pulls;
  #pushing = false; // the server is still answering `auth.since`

  /**
   * @param {object} parts
   * @param {string} parts.me
   * @param {(event: string, payload: object) => Promise<object>} parts.request
   * @param {{all: Function, get: Function, open: Function}} parts.rooms
   * @param {object} parts.on   row(room, event), page(room, live), gone(room), unread(room):
   *   this device has read further than the server knows
   */
  constructor({ me, request, rooms, on }) {
    this.#me = me;
    this.#request = request;
    this.#rooms = rooms;
    this.#on = on;
    this.#pulls = new Pulls({
      ask: (room) => this.#ask(room),
      take: (id, reply) => this.page(id, reply),
    });
  }

  /** @returns {boolean} whether everything missed has arrived */
  get done() {
    return !this.#pushing;
  }

  /** The connection is up: the server brings every room up to date by itself. */
  begin() {
    this.#pushing = true;
    for (const room of this.#rooms.all()) beginSync(room.log);
  }

  /** Take the server's event `sync`. */
  pages({ rooms, done }) {
    for (const [id, reply] of Object.entries(rooms ?? {})) this.page(id, reply);
    if (done) this.#pushing = false;
    this.rest();
  }

  /** Take one room's part of a sync. */
  page(id, reply) {
    const room = this.#rooms.open(id);
    takeStart(room, reply);
    const verdict = applySync(room.log, reply);
    if (verdict === "gone") {
      this.#on.gone(room);
      return verdict;
    }
    for (const event of reply.events) this.#on.row(room, event);
    if (takeCounts(room, reply, this.#me) && verdict === "live") this.#on.unread(room);
    this.#on.page(room);
    return verdict;
  }

  /** Take the part of a sync in an ack, unless one that is under way will do. */
  handed(room, reply) {
    if (reply && !this.#pulls.has(room)) this.page(room.id, reply);
  }

  /** Something was missed. */
  start(room) {
    return this.#pulls.start(room);
  }

  /** Take `room_behind`. */
  behind(room) {
    if (applyBehind(room.log) === "sync") this.start(room);
  }

  /** Ask for what nobody will push: rooms beyond the first 500, rooms joined meanwhile. */
  async rest() {
    if (this.#pushing) return;
    for (const room of this.#rooms.all()) if (room.log.syncing) await this.start(room);
  }

  async #ask(room) {
    if (room.watching) return this.#watch(room);
    const { rooms } = await this.#request("sync", { rooms: { [room.id]: room.log.cursor } });
    return rooms[room.id];
  }

  /** A watched room has no place in `sync`: the same comes with the answer to `watch`. */
  async #watch(room) {
    const { cursor } = room.log;
    const since = cursor === null ? {} : { since: cursor };
    try {
      const { sync, ...view } = await this.#request("watch", { room_id: room.id, ...since });
      takeView(room, view, this.#me);
      return sync;
    } catch (error) {
      if (error.retryable) throw error;
      return { state: "gone" };
    }
  }
}
