/** Who is typing where. Nothing here is stored or repeated: each word of it expires. */

import { Emitter } from "./emitter.js";

const SAY_EVERY = 4000; // ms; the server keeps it for 12 s

/** Emits `change room_id`. */
export class Typing extends Emitter {
  #me;
  #say;
  #said = new Map(); // place → when
  #typing = new Map(); // room id → Map(user → timer)

  constructor({ me, say }) {
    super();
    this.#me = me;
    this.#say = say;
  }

  /** The users typing in a room now. */
  who(roomId) {
    return [...(this.#typing.get(roomId)?.keys() ?? [])];
  }

  /** @param {{room_id: string}|{to: string}} place */
  keyPressed(place) {
    const key = place.room_id ?? place.to;
    if (Date.now() - (this.#said.get(key) ?? 0) < SAY_EVERY) return;
    this.#said.set(key, Date.now());
    this.#say("typing", { ...place, typing: true });
  }

  /** The text was sent or emptied. */
  stopped(place) {
    if (this.#said.delete(place.room_id ?? place.to))
      this.#say("typing", { ...place, typing: false });
  }

  /** Take an event of the server: a message ends its author's typing. */
  take(name, payload) {
    if (name === "typing") this.#heard(payload);
    else if (payload?.from && payload.rev === payload.seq) this.#end(payload.room_id, payload.from);
  }

  clear() {
    for (const [roomId, users] of this.#typing)
      for (const user of users.keys()) this.#end(roomId, user);
    this.#said.clear();
  }

  #heard({ room_id: roomId, user_id: user, typing, expires_in_ms: lasts }) {
    if (user === this.#me) return;
    this.#end(roomId, user);
    if (!typing) return;
    const users = this.#typing.get(roomId) ?? new Map();
    this.#typing.set(roomId, users);
    users.set(
      user,
      setTimeout(() => this.#end(roomId, user), lasts),
    );
    this.emit("change", roomId);
  }

  #end(roomId, user) {
    const users = this.#typing.get(roomId);
    if (!users?.has(user)) return;
    clearTimeout(users.get(user));
    users.delete(user);
    this.emit("change", roomId);
  }
}
