/** Who is signed in, how she is seen, and the menu to be seen otherwise. */

import { avatar } from "./avatar.js";
import { fill, h } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { openMenu } from "./menu.js";
import { ownStatusOf, STATUS_WORDS, withDot } from "./presence-words.js";
import { complain } from "./toasts.js";

const CONNECTION = {
  online: "Connected",
  syncing: "Catching up",
  connecting: "Connecting",
  offline: "Offline",
};

const CHOICES = [
  ["online", "Online"],
  ["busy", "Busy"],
  ["away", "Away"],
  ["invisible", "Invisible: appear offline"],
];

export class Account {
  #client;
  #shown = null; // how she is seen, as far as is known
  #face = h("span", { class: "account-face", "aria-hidden": "true" }); // the status says the same
  #status = h("span", { class: "account-status", "data-testid": "connection" });
  #about;
  #button;

  /** @param {object} on   signOut(), another (false where there is none) */
  constructor(client, on) {
    this.#client = client;
    this.#face.append(avatar(client.me, "small"));
    this.#about = h("span", {}, h("b", { "data-testid": "me" }, client.me), this.#status);
    this.#button = h(
      "button",
      {
        type: "button",
        class: "account-self",
        "data-testid": "own-status",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        onclick: () => this.#choose(),
      },
      this.#face,
      this.#about,
    );
    this.element = h(
      "footer",
      { class: "account" },
      this.#button,
      on.another && anotherLink(),
      iconButton("leave", "Sign out", { "data-testid": "sign-out", onclick: on.signOut }),
    );
  }

  /** Where the server knows of no presence there is nothing to choose. */
  show() {
    const { status, me, presence } = this.#client;
    const own = ownStatusOf(presence.own);
    const connected = status === "online";
    this.#status.textContent = (connected && STATUS_WORDS[own]) || CONNECTION[status];
    this.#status.dataset.status = status;
    // Not `disabled`: while the connection comes back it would lose the focus.
    this.#button.ariaDisabled = String(!own);
    if (own === this.#shown) return;
    this.#shown = own;
    fill(this.#face, withDot(avatar(me, "small"), own));
  }

  #choose() {
    const { ownStatus, presence } = this.#client;
    if (!presence.own) return;
    const now = presence.own.invisible ? "invisible" : ownStatus.choice;
    const entries = CHOICES.map(([choice, text]) => ({
      text,
      sign: h("span", { class: "dot", "data-status": choice, "aria-hidden": "true" }),
      checked: choice === now,
      testid: `be-${choice}`,
      run: () => ownStatus.choose(choice).catch(complain),
    }));
    openMenu(this.#button, "How others see you", entries);
  }
}

function anotherLink() {
  const label = "Sign in as someone else in a new tab";
  return h(
    "a",
    {
      href: "?fresh",
      target: "_blank",
      class: "icon-button",
      "aria-label": label,
      title: label,
    },
    icon("group"),
  );
}
