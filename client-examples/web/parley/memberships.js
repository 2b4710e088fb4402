/** Where this user belongs: rooms she makes, enters, leaves or looks into. */

import { insist } from "./insist.js";

export class Memberships {
  #request;
  #rooms;
  #waiting;
  #partings;

  /**
   * @param {object} parts
   * @param {(event: string, payload: object) => Promise<object>} parts.request
   * @param {import("./rooms.js").Rooms} parts.rooms
   * @param {import("./waiting.js").Waiting} parts.waiting
   * @param {import("./partings.js").Partings} parts.partings
   */
  constructor({ request, rooms, waiting, partings }) {
    this.#request = request;
    this.#rooms = rooms;
    this.#waiting = waiting;
    this.#partings = partings;
  }

  /** @returns {Promise<object>} the room */
  async create(request) {
    return this.#rooms.entered(await insist(this.#request, "create_room", request));
  }

  /**
   * Join a room, or accept the invitation to it.
   *
   * @returns {Promise<object|null>} the room; null where an admin has to agree first
   */
  async join(id) {
    const view = await this.#request("join_room", { room_id: id });
    this.#waiting.take(view);
    this.#partings.dismiss(id);
    if (view.sync) return this.#rooms.entered(view);
    this.#rooms.describe(view); // she may be looking in
    return null;
  }

  /** Leave a room, decline an invitation, or take a request back. */
  async leave(id) {
    await this.#request("leave_room", { room_id: id });
    this.#waiting.remove(id);
    const room = this.#rooms.get(id);
    if (room && !room.watching) this.#rooms.remove(id);
  }

  /** Follow a public room without becoming a member, for as long as the page is open. */
  async watch(id) {
    const view = await this.#request("watch", { room_id: id });
    this.#partings.dismiss(id);
    return this.#rooms.entered(view, { watching: view.membership?.state !== "member" });
  }

  async unwatch(id) {
    await this.#request("unwatch", { room_id: id });
    if (this.#rooms.get(id)?.watching) this.#rooms.remove(id);
  }

  /** Delete a room with all that was said in it, for everybody. */
  async delete(id) {
    await this.#partings.own(id, () => insist(this.#request, "delete_room", { room_id: id }));
    this.#rooms.remove(id);
  }

  /** What there is to know about a room, whether she is in it or not. */
  async look(id) {
    const view = await this.#request("room", { room_id: id });
    this.#waiting.take(view);
    return view;
  }
}
