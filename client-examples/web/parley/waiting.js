/**
 * Rooms that wait for a word: of this user (invitations) or of others (her requests to join).
 *
 * The server names them in the answer to `rooms`, tells of new ones with `system` and sends the
 * row that ends one. Emits `change` and `ended {room, reason, by}` where somebody else ended it.
 */

import { Emitter } from "./emitter.js";

export class Waiting extends Emitter {
  #me;
  #views = new Map(); // room id → {room, membership, can, by?}

  /** @param {{me: string}} parts */
  constructor({ me }) {
    super();
    this.#me = me;
  }

  /** Invitations first, then by name. */
  all() {
    return [...this.#views.values()].sort(
      (a, b) =>
        a.membership.state.localeCompare(b.membership.state) ||
        a.room.name.localeCompare(b.room.name),
    );
  }

  get(id) {
    return this.#views.get(id);
  }

  /** Take the whole list, as `rooms` gives it; who invited is known from `system` alone. */
  replace(views) {
    const before = this.#views;
    this.#views = new Map(
      views.map((view) => [view.room.id, { ...view, by: before.get(view.room.id)?.by }]),
    );
    this.emit("change");
  }

  /** Take a view of one room: it waits, or it does not any more. */
  take(view) {
    const { room, membership } = view;
    const waits = membership?.state === "invited" || membership?.state === "pending";
    if (!waits) return this.remove(room.id);
    this.#views.set(room.id, { ...view, by: this.#views.get(room.id)?.by });
    this.emit("change");
  }

  /** Somebody invites this user. What she may do about it comes with a view of the room. */
  invited({ room_id: id, by, room }) {
    const membership = { user_id: this.#me, role: "member", state: "invited" };
    const known = this.#views.get(id);
    this.#views.set(id, {
      can: [],
      ...known,
      room: { ...known?.room, ...room, id },
      membership,
      by,
    });
    this.emit("change");
  }

  /** A row about this user in a room she is not in. */
  row(event) {
    const { user_id: user, reason, by = event.from } = event.content;
    if (event.type !== "leave_room" || user !== this.#me) return;
    const view = this.#views.get(event.room_id);
    this.remove(event.room_id);
    if (view && by !== this.#me && reason !== "left")
      this.emit("ended", { room: view.room, was: view.membership.state, reason, by });
  }

  remove(id) {
    if (this.#views.delete(id)) this.emit("change");
  }

  clear() {
    this.#views.clear();
  }
}

/** Who asks to join rooms where this user decides: `{room, person}`, as far as the lists are known. */
export function requestsIn(rooms) {
  return rooms.flatMap((room) =>
    room.can?.includes("approve")
      ? Object.values(room.people.pending?.users ?? {}).map((person) => ({ room, person }))
      : [],
  );
}
