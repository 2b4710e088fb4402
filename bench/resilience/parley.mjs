// Somebody in rooms of Parley: the client of the chat page, on stock socket.io-client.

import { Client } from "../../client-examples/web/parley/client.js";
import { Store } from "../../client-examples/web/parley/store.js";
import { visible } from "../../client-examples/web/parley/timeline.js";

/** What a browser has as localStorage. */
class Memory extends Map {
  get length() {
    return this.size;
  }

  key(index) {
    return [...this.keys()][index];
  }

  getItem(key) {
    return this.get(key) ?? null;
  }

  setItem(key, value) {
    this.set(key, value);
  }

  removeItem(key) {
    this.delete(key);
  }
}

export class Person {
  #client;
  #rooms;

  constructor({ io, url, user, token, rooms, changed }) {
    this.#rooms = rooms;
    this.#client = new Client({
      io,
      url,
      user,
      token,
      store: new Store(user), // without IndexedDB it keeps nothing, as in a private window
      storage: new Memory(),
    });
    this.#client.on("status", changed);
  }

  start() {
    this.#client.start();
  }

  /** Connected, and everything missed has arrived. */
  get back() {
    return this.#client.status === "online" && this.#rooms.every((id) => this.#room(id));
  }

  /** How many messages there are in the first room. */
  get count() {
    const messages = Object.values(this.#room(this.#rooms[0])?.log.messages ?? {});
    return messages.filter(({ type }) => type === "chat").length;
  }

  /** Their numbers, as they are shown. */
  heard() {
    const room = this.#room(this.#rooms[0]);
    const chats = room ? visible(room).filter(({ type }) => type === "chat") : [];
    return chats.map(({ content }) => Number(content.text));
  }

  say(number) {
    for (const id of this.#rooms) this.#client.send(this.#room(id), { text: String(number) });
  }

  /** What the server has not acknowledged. */
  get unsent() {
    return this.#client.outbox.entries().length;
  }

  #room(id) {
    return this.#client.rooms.get(id);
  }
}
