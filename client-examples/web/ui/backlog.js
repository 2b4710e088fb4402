/** What of a conversation's history is not loaded yet: one page at a time, as far back as wanted. */

import { hasOlder } from "../parley/timeline.js";

const FAR = 200; // messages of a page when the way is long
const PAGES = 50; // of those on one search

export class Backlog {
  #client;
  #loading = null; // the page under way
  #broken = false; // the last attempt failed

  constructor(client) {
    this.#client = client;
  }

  /** Another conversation. */
  reset() {
    this.#broken = false;
  }

  /** What stands above the first message that is loaded. */
  get text() {
    if (this.#client.status !== "online")
      return "Earlier messages appear when the connection is back.";
    return this.#broken
      ? "Earlier messages could not be loaded. Scroll to try again."
      : "Loading earlier messages…";
  }

  /**
   * Load the page before. After a failure only the reader starts another try.
   *
   * @returns {Promise<boolean|undefined>} whether it was loaded; undefined if it was not tried
   */
  async older(room, { byReader = false, limit } = {}) {
    if (this.#broken && !byReader) return undefined;
    const able = room?.id && hasOlder(room) && this.#client.status === "online";
    if (!able || this.#loading) return undefined;
    this.#loading = this.#client.loadOlder(room, limit);
    try {
      await this.#loading;
      this.#broken = false;
    } catch {
      this.#broken = true;
    }
    this.#loading = null;
    return !this.#broken;
  }

  /**
   * Load page after page until something is there.
   *
   * @param {object} room
   * @param {() => boolean} found   also true when nobody waits for it any more
   * @returns {Promise<boolean>} false if it is not in what could be loaded
   */
  async until(room, found) {
    for (let pages = 0; !found(); pages += 1) {
      if (this.#loading) await this.#loading.catch(() => {});
      else if (pages === PAGES || !(await this.older(room, { byReader: true, limit: FAR })))
        return found();
    }
    return true;
  }
}
