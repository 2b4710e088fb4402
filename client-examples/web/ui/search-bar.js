/** Searching in a conversation: what is loaded at once, what is older on request. */

import { searched } from "../parley/search.js";
import { hasOlder, visible } from "../parley/timeline.js";
import { h } from "./dom.js";
import { icon, iconButton } from "./icons.js";

export class SearchBar {
  #on;
  #room = null;
  #found = []; // messages, the newest first
  #current = null; // id of the one that is pointed at
  #opener = null;
  #busy = false;
  #input = h("input", {
    type: "search",
    "aria-label": "Search in this conversation",
    placeholder: "Search in this conversation",
    "data-testid": "search-input",
    autocomplete: "off",
    oninput: () => this.#sought(),
  });
  #count = h("span", { class: "search-count", role: "status", "data-testid": "search-count" });
  #older = this.#button("up", "Older match (Enter)", "search-older", () => this.#move(1));
  #newer = this.#button("down", "Newer match (Shift+Enter)", "search-newer", () => this.#move(-1));
  #load = h(
    "button",
    { type: "button", "data-testid": "search-load", onclick: () => this.#loadOlder() },
    "Load older messages",
  );

  /**
   * @param {object} on   changed(): draw anew; reveal(id); until(found): load older messages;
   *   closed(opener): the focus has to go somewhere
   */
  constructor(on) {
    this.#on = on;
    this.element = h(
      "div",
      { class: "search-bar", role: "search", "data-testid": "search-bar", hidden: true },
      icon("search"),
      this.#input,
      this.#count,
      this.#older,
      this.#newer,
      this.#load,
      this.#button("close", "Close search (Esc)", "search-close", () => this.close()),
    );
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** What is looked for, and which message is pointed at: for drawing them. */
  get marks() {
    return this.#isOpen ? { wanted: this.#input.value.trim(), current: this.#current } : null;
  }

  get #isOpen() {
    return !this.element.hidden;
  }

  open() {
    if (!this.#isOpen) this.#opener = document.activeElement;
    this.element.hidden = false;
    this.#input.focus();
    this.#input.select();
    this.#sought();
  }

  /** Another conversation. */
  reset(room) {
    this.#room = room;
    this.#input.value = "";
    this.#found = [];
    this.#current = null;
    this.element.hidden = true;
  }

  close() {
    this.element.hidden = true;
    this.#on.changed();
    this.#on.closed(this.#opener);
  }

  /** Messages came, went or changed. */
  update() {
    if (!this.#isOpen || !this.#room) return;
    this.#found = searched(visible(this.#room), this.#input.value);
    if (!this.#found.some((message) => message.id === this.#current))
      this.#current = this.#found[0]?.id ?? null;
    this.#show();
  }

  #sought() {
    this.#current = null;
    this.update();
    this.#on.changed();
    if (this.#current) this.#on.reveal(this.#current);
  }

  #show() {
    const wanted = this.#input.value.trim();
    const { length } = this.#found;
    const at = this.#found.findIndex((message) => message.id === this.#current) + 1;
    this.#say(!wanted ? "" : length ? `${at} of ${length}` : this.#nothing());
    this.#older.hidden = this.#newer.hidden = length === 0;
    this.#older.disabled = at >= length;
    this.#newer.disabled = at <= 1;
    this.#load.hidden = !wanted || length > 0 || !hasOlder(this.#room);
  }

  #nothing() {
    if (this.#busy) return "Looking further back…";
    return hasOlder(this.#room) ? "Nothing in what is loaded" : "Nothing found";
  }

  /** Said again only if it is something else. */
  #say(text) {
    if (this.#count.textContent !== text) this.#count.textContent = text;
  }

  #move(step) {
    const at = this.#found.findIndex((message) => message.id === this.#current);
    const next = this.#found[at + step];
    if (!next) return;
    this.#current = next.id;
    this.#show();
    this.#on.changed();
    this.#on.reveal(next.id);
    // A button that is disabled now has lost the focus.
    if (document.activeElement?.disabled) this.#input.focus();
  }

  async #loadOlder() {
    const room = this.#room;
    const wanted = this.#input.value;
    const over = () => !this.#isOpen || room !== this.#room || wanted !== this.#input.value;
    this.#busy = true;
    this.#input.focus();
    this.#show();
    await this.#on.until(() => over() || searched(visible(room), wanted).length > 0);
    this.#busy = false;
    if (over()) return;
    this.update();
    this.#on.changed();
    if (this.#current) this.#on.reveal(this.#current);
  }

  #key(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && event.target === this.#input && !event.isComposing) {
      event.preventDefault();
      this.#move(event.shiftKey ? -1 : 1);
    }
  }

  #button(name, label, testid, onclick) {
    return iconButton(name, label, { "data-testid": testid, onclick });
  }
}
