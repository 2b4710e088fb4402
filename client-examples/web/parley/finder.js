/**
 * Looks for public rooms while somebody types. The newest question wins: answers to older ones
 * are dropped. Emits `change`.
 */

import { Emitter } from "./emitter.js";

const PAUSE = 250; // ms without a key before the server is asked

export class Finder extends Emitter {
  #request;
  #timer;
  #turn = 0;

  /** What was looked for, and what was found so far: views as `room` gives them. */
  wanted = "";
  found = [];
  next = undefined;
  error = null;
  busy = false;

  /** @param {{request: (event: string, payload: object) => Promise<object>}} parts */
  constructor({ request }) {
    super();
    this.#request = request;
  }

  /** Look for a name when the typing pauses; for all rooms if it is empty. */
  seek(wanted, pause = PAUSE) {
    clearTimeout(this.#timer);
    this.wanted = wanted;
    this.busy = true;
    this.#turn += 1;
    this.#timer = setTimeout(() => this.#ask(), pause);
    this.emit("change");
  }

  /** The next page, or the same one again after an error. */
  more() {
    return this.#ask(this.error ? undefined : this.next);
  }

  /** Something of a room that was found is different now. */
  replace(view) {
    this.found = this.found.map((other) => (other.room.id === view.room.id ? view : other));
    this.emit("change");
  }

  close() {
    clearTimeout(this.#timer);
    this.#turn += 1;
  }

  async #ask(cursor) {
    const turn = (this.#turn += 1);
    this.busy = true;
    this.error = null;
    this.emit("change");
    const wanted = this.wanted ? { q: this.wanted } : {};
    try {
      const page = await this.#request("discover", { ...wanted, ...(cursor ? { cursor } : {}) });
      if (turn !== this.#turn) return;
      this.found = cursor ? [...this.found, ...page.rooms] : page.rooms;
      this.next = page.next;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.error = error;
    }
    this.busy = false;
    this.emit("change");
  }
}
