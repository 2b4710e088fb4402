/** Syncs this client asks for by itself: one at a time for each room, page after page. */

import { beginSync } from "./rule.js";

const ASK_AGAIN = 2000; // ms

export class Pulls {
  #ask;
  #take;
  #running = new Set();

  /**
   * @param {object} parts
   * @param {(room: object) => Promise<object>} parts.ask   its next page, from its cursor
   * @param {(id: string, reply: object) => "live"|"more"|"gone"} parts.take   a page has come
   */
  constructor({ ask, take }) {
    this.#ask = ask;
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
    return this.#take(room.id, await this.#ask(room));
  }

  /** While offline there is nothing to repeat: the next connect brings every room up to date. */
  #failed(room, error) {
    if (error.code === "offline") return;
    if (error.retryable) setTimeout(() => this.start(room), error.retryAfter ?? ASK_AGAIN);
    else console.error("parley: cannot catch up", room.id, error);
  }
}
