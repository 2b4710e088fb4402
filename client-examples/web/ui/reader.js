/** Where the reader of a conversation is: what she has seen, and where the "new" line stands. */

import { visible } from "../parley/timeline.js";

export class Reader {
  #client;
  #list;
  #place = null;
  #begun = false; // she was put where she left
  #unread = 0; // as of the last drawing
  #wasOnline = false; // the same

  /** The seq after which the "new" line stands; null: nowhere. */
  newAfter = null;

  /** @param {import("./message-list.js").MessageList} list */
  constructor(client, list) {
    this.#client = client;
    this.#list = list;
  }

  /** Whether she is in the conversation already. */
  get begun() {
    return this.#begun;
  }

  /** Another conversation. */
  open(place) {
    this.#place = place;
    this.#begun = false;
    this.newAfter = place.unread > 0 ? place.read_seq : null;
    this.#unread = place.unread ?? 0;
  }

  /** Before drawing: what arrives while nobody looks begins at a line. */
  notice() {
    const { unread = 0, read_seq } = this.#place;
    // What was caught up with arrived while nobody could look: hence the status of last time.
    const looked = this.#wasOnline && this.#attentive();
    if (unread > 0 && this.#unread === 0 && !looked) this.newAfter = read_seq;
    this.#unread = unread;
    this.#wasOnline = this.#client.status === "online";
  }

  /**
   * After drawing: put her where she left, once there is something to put her at.
   *
   * @returns {boolean} whether that was now
   */
  begin() {
    const { id, from_seq: from } = this.#place;
    if (this.#begun || (id && from === null && this.#client.status !== "offline")) return false;
    this.#begun = true;
    this.#list.begin();
    this.read();
    return true;
  }

  /** The page has come to the front, or the reader to the bottom: what is seen is read. */
  read() {
    if (!this.#begun || !this.#attentive()) return;
    const newest = visible(this.#place).at(-1);
    if (newest) this.#client.read(this.#place, newest.seq);
  }

  #attentive() {
    const looking = document.visibilityState === "visible" && document.hasFocus();
    return (
      Boolean(this.#place?.id) && looking && this.#list.atBottom && this.#client.status === "online"
    );
  }
}
