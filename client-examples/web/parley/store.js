/**
 * The rooms on this device, or the inbox: cursor and messages in one record, written together,
 * so that a reload shows the chat at once and resumes where it was.
 *
 * Tabs write the same records and the last one wins. That is safe: every record
 * is true by itself, and an older cursor only costs asking again.
 */

import { trimmed } from "./timeline.js";

export class Store {
  #opening;
  #trim;

  /**
   * Without IndexedDB (some private windows) nothing is kept; the server has it all.
   *
   * @param {string} name   of a database; each holds records of one kind
   * @param {object} [options]
   * @param {(record: object) => object} [options.trim]   what of a record is stored
   */
  constructor(name, { trim = trimmed, factory = globalThis.indexedDB } = {}) {
    this.#trim = trim;
    this.#opening = open(factory, `parley:${name}`).catch(() => null);
  }

  /** @returns {Promise<object[]>} */
  async load() {
    const rooms = await this.#run("readonly", (store) => store.getAll());
    return rooms ?? [];
  }

  async save(rooms) {
    await this.#run("readwrite", (store) => {
      for (const room of rooms) store.put(this.#trim(room));
      // A page that is being left is not there any more to see the last request succeed.
      store.transaction.commit?.();
    });
  }

  async remove(roomId) {
    await this.#run("readwrite", (store) => store.delete(roomId));
  }

  async clear() {
    await this.#run("readwrite", (store) => store.clear());
  }

  async close() {
    (await this.#opening)?.close();
  }

  async #run(mode, work) {
    const database = await this.#opening;
    if (!database) return undefined;
    return new Promise((resolve) => {
      const transaction = database.transaction("rooms", mode);
      const request = work(transaction.objectStore("rooms"));
      transaction.oncomplete = () => resolve(request?.result);
      // A cache that cannot be written (disk full) is a cache that is old.
      transaction.onerror = transaction.onabort = () => resolve(undefined);
    });
  }
}

function open(factory, name) {
  return new Promise((resolve, reject) => {
    if (!factory) throw new Error("no IndexedDB");
    const request = factory.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("rooms", { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
