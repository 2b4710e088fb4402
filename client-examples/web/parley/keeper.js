/** Stores rooms a moment after they change, many changes in one go. */

const SAVE_AFTER = 400; // ms

export class Keeper {
  #store;
  #get;
  #dirty = new Set();
  #timer;

  /**
   * @param {object} parts
   * @param {import("./store.js").Store} parts.store
   * @param {(id: string) => object|undefined} parts.get   a room as it is now
   */
  constructor({ store, get }) {
    this.#store = store;
    this.#get = get;
  }

  /** A room has changed. One that is only looked into is nobody's to keep. */
  save(room) {
    if (room.watching) return;
    this.#dirty.add(room.id);
    this.#timer ??= setTimeout(() => this.flush(), SAVE_AFTER);
  }

  /** Store what changed, now. */
  flush() {
    this.#stop();
    const rooms = [...this.#dirty].map((id) => this.#get(id)).filter(Boolean);
    this.#dirty.clear();
    if (rooms.length) this.#store.save(rooms);
  }

  remove(id) {
    this.#dirty.delete(id);
    this.#store.remove(id);
  }

  /** Leave nothing. */
  async clear() {
    this.#stop();
    this.#dirty.clear();
    await this.#store.clear();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
