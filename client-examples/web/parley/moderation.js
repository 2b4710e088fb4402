/** What owners, admins and members do about others and about the room. It shows as rows of the log. */

import { insist } from "./insist.js";

/** The longest that somebody can be muted for; in practice, until she is unmuted. */
export const LONGEST_MUTE = 366 * 24 * 3_600_000; // ms

export class Moderation {
  #request;

  /** @param {{request: (event: string, payload: object) => Promise<object>}} parts */
  constructor({ request }) {
    this.#request = request;
  }

  invite(room, user) {
    return this.#about("invite", room, user);
  }

  approve(room, user) {
    return this.#about("approve", room, user);
  }

  /** Of a member; also withdraws an invitation and refuses a request. */
  kick(room, user) {
    return this.#about("kick", room, user);
  }

  ban(room, user) {
    return this.#about("ban", room, user);
  }

  unban(room, user) {
    return this.#about("unban", room, user);
  }

  /** @param {number} ms   0 lets her speak again */
  mute(room, user, ms) {
    return this.#about("mute", room, user, { muted_for_ms: ms });
  }

  /** @param {"owner"|"admin"|"member"} role   of an owner there is one: she hands the room over */
  setRole(room, user, role) {
    return this.#about("set_role", room, user, { role });
  }

  /**
   * Change name, description or settings.
   *
   * @param {object} changes   see `changes.js`
   * @param {number} [ifRev]   only if nobody has changed the room since
   * @throws {RequestError} with code "conflict" if somebody has
   */
  update(room, changes, ifRev) {
    const guard = ifRev === undefined ? {} : { if_rev: ifRev };
    return insist(this.#request, "update_room", { room_id: room.id, changes, ...guard });
  }

  #about(event, room, user, more = {}) {
    return insist(this.#request, event, { room_id: room.id, user_id: user, ...more });
  }
}
