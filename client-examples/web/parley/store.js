/**
 * The rooms on this device: cursor and messages in one record, written together,
 * so that a reload shows the chat at once and resumes where it was.
 *
 * Tabs write the same records and the last one wins. That is safe: every record
 * is true by itself, and an older cursor only costs asking again.
 */

import { trimmed } from "./timeline.js";

export class Store {
  #opening;

  /** Without IndexedDB (some private windows) nothing is kept; the server has it all. */
  constructor(user, factory = globalThis.indexedDB) {
    this.#opening = open(factory, `parley:${user}`).catch(() => null);
  }

  /** @returns {Promise<object[]>} */
  async load() {
    const rooms = await this.#run("readonly", (store) => store.getAll());
    return rooms ?? [];
  }

  async save(rooms) {
    await this.#run("readwrite", (store) => {
      for (const room of rooms) store.put(trimmed(room));
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
