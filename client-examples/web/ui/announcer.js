/** Says new messages to those who listen to the page, but not what history brings. */

import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { bodyText, noticeText } from "./notices.js";

const MOST = 3; // messages said one by one

export class Announcer {
  #me;
  #said = 0; // seq
  element = h("div", {
    class: "hidden",
    role: "log",
    "aria-live": "polite",
    "data-testid": "announcer",
  });

  constructor(me) {
    this.#me = me;
  }

  /**
   * Another conversation: what is there already is not news, nor what comes from further back.
   *
   * @param {object[]} messages
   * @param {number | null} from   the seq from which on all are there: who has just joined has none
   */
  begin(messages, from) {
    this.#said = messages.at(-1)?.seq ?? Math.max((from ?? 0) - 1, 0);
    fill(this.element);
  }

  /** @param {object[]} messages   all of the conversation, in order */
  show(messages) {
    const fresh = messages.filter((m) => m.seq > this.#said && m.from !== this.#me && !m.deleted);
    this.#said = Math.max(this.#said, messages.at(-1)?.seq ?? 0);
    if (fresh.length) fill(this.element, h("p", {}, words(fresh, this.#me)));
  }
}

function words(messages, me) {
  if (messages.length > MOST) return plural(messages.length, "new message");
  return messages.map((m) => noticeText(m, me) ?? `${m.from}: ${bodyText(m.content)}`).join(". ");
}
