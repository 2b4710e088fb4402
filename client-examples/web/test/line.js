/** A connection for tests: the server is a list of answers, and says what the test says. */

import { Emitter } from "../parley/emitter.js";
import { offline } from "../parley/errors.js";

export const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

export class Line extends Emitter {
  online = false;
  asked = []; // [event, payload]
  #answers;

  /** @param {Record<string, (payload: object) => object>} answers   an error is thrown */
  constructor(answers = {}) {
    super();
    this.#answers = answers;
  }

  up() {
    this.online = true;
    this.emit("up");
  }

  down() {
    this.online = false;
    this.emit("down");
  }

  /** The server says something. */
  says(name, payload) {
    this.emit("event", name, payload);
  }

  async request(event, payload) {
    if (!this.online) throw offline();
    this.asked.push([event, payload]);
    const answer = await this.#answers[event]?.(payload);
    if (!this.online) throw offline();
    if (answer instanceof Error) throw answer;
    return answer ?? {};
  }

  hint(event, payload) {
    this.request(event, payload).catch(() => {});
  }

  /** What was asked of an event, in order. */
  of(event) {
    return this.asked.filter(([name]) => name === event).map(([, payload]) => payload);
  }
}
