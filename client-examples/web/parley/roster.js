/** Loads the lists of `people.js`, page by page. */

import { takePeople } from "./people.js";
import { see } from "./record.js";
import { may } from "./rights.js";

export class Roster {
  #request;
  #changed;

  /**
   * @param {object} parts
   * @param {(event: string, payload: object) => Promise<object>} parts.request
   * @param {(room: object) => void} parts.changed
   */
  constructor({ request, changed }) {
    this.#request = request;
    this.#changed = changed;
  }

  /** Load what a conversation needs: members, and who asks to join where this user decides. */
  async open(room) {
    const states = ["member", ...(may(room, "approve") ? ["pending"] : [])];
    await Promise.all(states.map((state) => this.load(room, state)));
  }

  /** Load who asks to join, in every room where this user decides; rows keep it true afterwards. */
  async requests(rooms) {
    const asked = (room) => may(room, "approve") && room.info.settings.require_approval;
    for (const room of rooms.filter(asked))
      if (!room.people.pending) await this.load(room, "pending");
  }

  /** Load a list from its start, or behind a cursor. */
  async load(room, state, cursor) {
    if (!may(room, "members")) return;
    const ask = { room_id: room.id, state, ...(cursor === undefined ? {} : { cursor }) };
    const page = await this.#request("members", ask);
    takePeople(room, state, page, cursor);
    for (const { user_id: user, read_seq: seq } of page.members)
      if (seq !== undefined) see(room, user, seq);
    this.#changed(room);
  }

  /** Load the next page of a list. */
  more(room, state) {
    return this.load(room, state, room.people[state]?.next);
  }
}
