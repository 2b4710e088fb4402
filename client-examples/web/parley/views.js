/**
 * What only the server can say of rooms: names, settings, what this user may do there.
 *
 * `rooms` tells of all of hers, `room` of one. Questions are gathered, so that many events in a
 * moment ask once, and asked again until there is an answer.
 */

const GATHER = 30; // ms
const ASK_AGAIN = 2000; // ms
const LONGEST_TIMER = 2 ** 31 - 1; // ms; a longer one would ring at once

export class Views {
  #request;
  #on;
  #all; // timer
  #one = new Map(); // room id → timer
  #alarms = new Map(); // room id → timer

  /**
   * @param {object} parts
   * @param {(event: string, payload: object) => Promise<object>} parts.request
   * @param {object} parts.on   room(view), waiting(views), done() after the last of all rooms
   */
  constructor({ request, on }) {
    this.#request = request;
    this.#on = on;
  }

  /** Ask for all rooms, now. */
  async all() {
    clearTimeout(this.#all);
    try {
      let cursor;
      do cursor = await this.#page(cursor);
      while (cursor);
      this.#on.done();
    } catch (error) {
      const refused = !this.#again(error, (wait) => {
        this.#all = setTimeout(() => this.all(), wait);
      });
      if (refused) throw error;
    }
  }

  /** Ask for all rooms when this moment is over. */
  soon() {
    clearTimeout(this.#all);
    this.#all = setTimeout(() => this.all(), GATHER);
  }

  /** Ask for one room when this moment is over. */
  one(id, wait = GATHER) {
    clearTimeout(this.#one.get(id));
    this.#one.set(
      id,
      setTimeout(() => this.#view(id), wait),
    );
  }

  /** Ask for one room at a time: what she may do changes then without a word of the server. */
  at(id, time) {
    clearTimeout(this.#alarms.get(id));
    if (!time) return;
    const wait = Math.min(Math.max(Date.parse(time) - Date.now(), 0) + GATHER, LONGEST_TIMER);
    this.#alarms.set(
      id,
      setTimeout(() => this.one(id), wait),
    );
  }

  /** Nothing more about a room, or about any. */
  forget(id) {
    for (const timers of [this.#one, this.#alarms])
      for (const key of id ? [id] : timers.keys()) clearTimeout(timers.get(key));
    if (!id) clearTimeout(this.#all);
  }

  async #page(cursor) {
    const answer = await this.#request("rooms", cursor ? { cursor } : {});
    for (const view of answer.rooms) this.#on.room(view);
    if (!cursor) this.#on.waiting(answer.waiting ?? []);
    return answer.next;
  }

  async #view(id) {
    try {
      this.#on.room(await this.#request("room", { room_id: id }));
    } catch (error) {
      // A room that is not there any more is gone by its sync, not by this.
      this.#again(error, (wait) => this.one(id, wait));
    }
  }

  /**
   * Ask again if that can help; while offline the next connect does.
   *
   * @returns {boolean} false if it cannot
   */
  #again(error, repeat) {
    if (error.retryable && error.code !== "offline") repeat(error.retryAfter ?? ASK_AGAIN);
    return Boolean(error.retryable);
  }
}
