/** Syncs this client asks for by itself: one at a time for each room, page after page. */

import { beginSync } from "./rule.js";

const ASK_AGAIN = 2000; // ms

export class Pulls {
  #request;
  #take;
  #running = new Set();

  /**
   * @param {object} parts
   * @param {(event: string, payload: object) => Promise<object>} parts.request
   * @param {(id: string, reply: object) => "live"|"more"|"gone"} parts.take   a page has come
   */
  constructor({ request, take }) {
    this.#request = request;
    this.#take = take;
  }

  has(room) {
    return this.#running.has(room.id);
  }

  /** Bring a room up to date; nothing to do if that is already under way. */
  async start(room) {
    if (this.has(room)) return;
    this.#running.add(room.id);
    beginSync(room.log);
    try {
      while ((await this.#page(room)) === "more");
    } catch (error) {
      this.#failed(room, error);
    } finally {
      this.#running.delete(room.id);
    }
  }

  async #page(room) {
    const { rooms } = await this.#request("sync", { rooms: { [room.id]: room.log.cursor } });
    return this.#take(room.id, rooms[room.id]);
  }

  /** While offline there is nothing to repeat: the next connect brings every room up to date. */
  #failed(room, error) {
    if (error.code === "offline") return;
    if (error.retryable) setTimeout(() => this.start(room), error.retryAfter ?? ASK_AGAIN);
    else console.error("parley: cannot catch up", room.id, error);
  }
}
