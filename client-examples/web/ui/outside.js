/**
 * What stands in place of a conversation the user is not in: what the room is and the ways in, or
 * why she is out of it; and what she wrote there that was not sent.
 */

import { roomSign } from "./avatar.js";
import { fill, h } from "./dom.js";
import { entryButtons } from "./entering.js";
import { wordsOf } from "./forms.js";
import { plural } from "./format.js";
import { iconButton } from "./icons.js";
import { partingWords } from "./parting-words.js";
import { isListed } from "./place.js";
import { toast } from "./toasts.js";

export class Outside {
  #client;
  #go;
  #id = null;
  #view = null;
  #problem = null;
  #shown = "";
  element = h("div", { class: "nothing", "data-testid": "empty" });

  constructor(client, go) {
    this.#client = client;
    this.#go = go;
  }

  /** Turn to a room. */
  open(id) {
    this.#id = id;
    this.#view = this.#problem = null;
    this.#shown = "";
    this.show();
    this.#look();
  }

  /** The reader turns to something else: what this said was seen. */
  close() {
    if (this.#id) this.#client.partings.dismiss(this.#id);
    this.#id = null;
  }

  show() {
    const { waiting, partings } = this.#client;
    const parting = partings.get(this.#id);
    const known = waiting.get(this.#id);
    if (!known && WAITS.has(this.#view?.membership?.state)) this.#again();
    const view = known ? { ...this.#view, ...known } : this.#view;
    const unsent = this.#client
      .pending({ id: this.#id })
      .filter(({ payload }) => payload.content?.text);
    const sign = JSON.stringify([parting, view, this.#problem, unsent]);
    if (sign === this.#shown) return;
    this.#shown = sign;
    fill(
      this.element,
      this.#back(),
      parting &&
        h("p", { class: "parting", role: "alert", "data-testid": "parted" }, partingWords(parting)),
      this.#body(view, parting),
      unsent.length > 0 && leftBehind(this.#client, unsent),
    );
  }

  /** What she waited for is over. */
  #again() {
    this.#view = null;
    this.#look();
  }

  /** Ask what the room is; again when something about it was done. */
  async #look() {
    const id = this.#id;
    let view = null;
    let problem = null;
    try {
      view = await this.#client.memberships.look(id);
    } catch (error) {
      problem = { code: error.code, text: wordsOf(error) };
    }
    if (id !== this.#id) return;
    this.#view = view;
    this.#problem = problem;
    this.show();
  }

  #body(view, parting) {
    if (view) return this.#card(view);
    if (!this.#problem) return h("p", { class: "muted", role: "status" }, "Opening…");
    if (parting) return null;
    const { code, text } = this.#problem;
    const known = REFUSED[code];
    return [
      h("h2", {}, known?.title ?? "This did not work"),
      h("p", {}, known?.text ?? text),
      !known && h("button", { type: "button", onclick: () => this.#look() }, "Try again"),
    ];
  }

  #card(view) {
    const { room, membership } = view;
    const go = (route) => this.#go(route);
    return [
      roomSign(room),
      h("h2", { dir: "auto", "data-testid": "outside-name" }, room.name),
      h("p", {}, about(room)),
      room.description && h("p", { dir: "auto" }, room.description),
      STANDING[membership?.state] && h("p", {}, STANDING[membership.state]),
      h(
        "div",
        { class: "ways" },
        entryButtons(this.#client, view, { go, done: () => this.#look() }),
      ),
    ];
  }

  #back() {
    const onclick = () => this.#go({});
    return iconButton("back", "All conversations", {
      class: "icon-button back",
      "data-testid": "back",
      onclick,
    });
  }
}

const WAITS = new Set(["invited", "pending"]);

const about = (room) =>
  `${isListed(room) ? "A public room" : "A room by invitation"} with ${plural(room.member_count, "member")}`;

const STANDING = {
  invited: "You are invited.",
  pending: "You asked to join. Owner or admins decide.",
};

const REFUSED = {
  not_found: {
    title: "You are not in this room",
    text: "There is no such room, or it is not public. Ask one of its members for an invitation.",
  },
  forbidden: { title: "You may not enter this room", text: "Somebody banned you from it." },
  gone: { title: "This room was deleted", text: "Nothing of it is left." },
};

/** What was written for a room before it was closed to its author is not lost without a word. */
function leftBehind(client, entries) {
  const text = entries.map((entry) => entry.payload.content.text).join("\n\n");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch {
      toast("This browser does not let the page copy: select the text instead.");
    }
  };
  const discard = () => {
    for (const entry of entries) client.discard(entry.client_id);
  };
  return h(
    "div",
    { class: "left-behind", "data-testid": "left-behind" },
    h("h3", {}, "Written here and not sent"),
    entries.map((entry) => h("blockquote", { dir: "auto" }, entry.payload.content.text)),
    h(
      "div",
      { class: "ways" },
      h("button", { type: "button", "data-testid": "copy-unsent", onclick: copy }, "Copy"),
      h("button", { type: "button", "data-testid": "discard-unsent", onclick: discard }, "Discard"),
    ),
  );
}
