/** The button with the bell: how much is unread, what has just come, and the way to the inbox. */

import { fill, h } from "./dom.js";
import { count, plural } from "./format.js";
import { iconButton } from "./icons.js";
import { openInbox } from "./inbox-dialog.js";
import { toast } from "./toasts.js";

const GATHER = 300; // ms

export class Bell {
  #client;
  #badge = h("span", { class: "badge", "data-testid": "inbox-unread" });
  #came = []; // titles

  constructor(client, go) {
    this.#client = client;
    const onclick = () => openInbox(client, go);
    this.element = iconButton("bell", "Notifications", {
      class: "icon-button bell",
      "data-testid": "bell",
      "aria-haspopup": "dialog",
      onclick,
    });
    this.element.append(this.#badge);
    client.on("news", ({ content }) => this.#tell(content.title));
  }

  /** Say what has come, for eyes and ears; many in a moment are said as a number. */
  #tell(title) {
    if (this.#came.push(title) > 1) return;
    setTimeout(() => {
      const came = this.#came.splice(0);
      toast(came.length === 1 ? came[0] : plural(came.length, "new notification"));
    }, GATHER);
  }

  /** Where the server has no inbox there is no bell. */
  show() {
    const { there, unread } = this.#client.inbox;
    this.element.hidden = !there;
    this.#badge.hidden = unread === 0;
    const text = count(unread);
    if (this.#badge.textContent === text) return;
    fill(this.#badge, text);
    const label = unread ? `Notifications, ${plural(unread, "unread", "unread")}` : "Notifications";
    for (const name of ["aria-label", "title"]) this.element.setAttribute(name, label);
  }
}
