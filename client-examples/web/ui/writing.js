/** What one says in a place: sent, edited, deleted, with whom it names. */

import { memberIds, memberOf } from "../parley/people.js";
import { visible } from "../parley/timeline.js";
import { confirm } from "./dialogs.js";
import { bodyText } from "./notices.js";
import { mentioned } from "./text.js";
import { toast } from "./toasts.js";

const MOST_NAMED = 50;

export class Writing {
  #client;
  #place;

  /** @param {() => object} place   where one is: a room, or {to: user} */
  constructor(client, place) {
    this.#client = client;
    this.#place = place;
  }

  /** @returns {boolean} whether the device keeps it until it is sent */
  send(text, replyTo) {
    const content = { text, ...(replyTo ? { reply_to: replyTo } : {}), ...this.#named(text) };
    return this.#tried(() => this.#client.send(this.#place(), content));
  }

  /** @returns {boolean} the same */
  edit(item, text) {
    if (text === item.content.text) return true;
    const { reply_to } = item.content;
    const content = { text, ...(reply_to ? { reply_to } : {}), ...this.#named(text) };
    return this.#tried(() => this.#client.edit(this.#place(), item, content));
  }

  async delete(item) {
    const title = item.mine ? "Delete this message?" : `Delete this message of ${item.from}?`;
    const sure = await confirm(title, bodyText(item.content), "Delete");
    if (sure) this.#tried(() => this.#client.delete(this.#place(), item));
  }

  /** Who can be named: members, else whoever spoke; and who spoke last. */
  people() {
    const room = this.#place();
    const spoke = room.id ? visible(room).map((message) => message.from) : [];
    const recent = [...new Set(spoke.toReversed())];
    const users = new Set([...memberIds(room), ...recent]);
    const others = [...users].filter((user) => user !== this.#client.me);
    return { people: others.map((user) => memberOf(room, user) ?? { user_id: user }), recent };
  }

  #named(text) {
    const users = this.people().people.map((person) => person.user_id);
    const mentions = mentioned(text, [...users, this.#client.me]).slice(0, MOST_NAMED);
    return mentions.length ? { mentions } : {};
  }

  /** The device may refuse to keep it (storage full): then it stays in the composer. */
  #tried(work) {
    try {
      work();
      return true;
    } catch (error) {
      console.error(error);
      toast("This device has no room to keep the message. Nothing was sent.", "alert");
      return false;
    }
  }
}
