/**
 * Rooms that this user is out of, and not by her own word: who sent her away, or what became of
 * them. Kept until she has seen it. Emits `change` and `parted parting`.
 */

import { Emitter } from "./emitter.js";

/**
 * @typedef {object} Parting
 * @property {string} id     of the room
 * @property {object} room   as it was
 * @property {"kicked"|"banned"|"refused"|"withdrawn"|"deleted"|"closed"|"away"} reason   closed:
 *   she watched and may not any more; away: nobody says
 * @property {string} [by]
 */

export class Partings extends Emitter {
  #request;
  #partings = new Map();
  #own = new Set(); // rooms that this user is ending

  /** @param {{request: (event: string, payload: object) => Promise<object>}} parts */
  constructor({ request }) {
    super();
    this.#request = request;
  }

  all() {
    return [...this.#partings.values()];
  }

  get(id) {
    return this.#partings.get(id);
  }

  /** @param {Parting} parting */
  add(parting) {
    this.#partings.set(parting.id, parting);
    this.emit("parted", parting);
    this.emit("change");
  }

  /** She was kicked or banned. */
  sentAway(room, { content, from }) {
    this.add({ id: room.id, room: room.info, reason: content.reason, by: content.by ?? from });
  }

  /** What she waited for was ended by somebody. */
  ended({ room, was, reason, by }) {
    const refused = was === "pending" ? "refused" : "withdrawn";
    this.add({ id: room.id, room, reason: reason === "banned" ? reason : refused, by });
  }

  /** A room is gone, and a sync says no more than that: a view of it has the reason. */
  async gone({ id, info, watching }) {
    if (this.#own.delete(id)) return;
    let reason = watching ? "closed" : "away";
    try {
      await this.#request("room", { room_id: id });
    } catch (error) {
      if (error.code === "gone") reason = "deleted";
      if (error.code === "forbidden") reason = "banned"; // from a room that all others may see
    }
    this.add({ id, room: info, reason });
  }

  /** What happens to the room from here on is her own doing, unless `work` fails. */
  async own(id, work) {
    this.#own.add(id);
    try {
      await work();
    } catch (error) {
      this.#own.delete(id);
      throw error;
    }
  }

  /** She has seen it, or is in the room again. */
  dismiss(id) {
    if (this.#partings.delete(id)) this.emit("change");
  }
}
