/** The list of names that opens behind an @: a combobox while it is open. */

import { avatar } from "./avatar.js";
import { begun, candidates, completed } from "./completion.js";
import { fill, h, newId } from "./dom.js";

export class MentionBox {
  #input;
  #people;
  #changed;
  #start = -1; // of the name being completed
  #found = [];
  #at = 0; // which of them is chosen
  #closedAt = -1; // where Escape closed it: that name is not completed any more
  element = h("ul", {
    class: "mention-box",
    role: "listbox",
    id: newId("names"),
    "aria-label": "Who is meant",
    "data-testid": "mention-box",
    hidden: true,
  });

  /**
   * @param {HTMLTextAreaElement} input
   * @param {() => {people: object[], recent: string[]}} people   who can be named
   * @param {() => void} changed   the text was completed
   */
  constructor(input, people, changed) {
    this.#input = input;
    this.#people = people;
    this.#changed = changed;
    input.addEventListener("blur", () => this.close());
    // Before the field loses the focus by it.
    this.element.addEventListener("mousedown", (event) => this.#clicked(event));
  }

  get open() {
    return !this.element.hidden;
  }

  /** Something was typed, or the cursor was moved. */
  update() {
    const { value, selectionStart: caret, selectionEnd: end } = this.#input;
    const name = caret === end ? begun(value, caret) : null;
    if (!name || name.start === this.#closedAt) return this.close(name ? this.#closedAt : -1);
    const { people, recent } = this.#people();
    const found = candidates(people, name.wanted, recent);
    if (!found.length) return this.close();
    if (name.start !== this.#start || !this.open) this.#at = 0;
    this.#start = name.start;
    this.#found = found;
    this.#at = Math.min(this.#at, found.length - 1);
    return this.#show();
  }

  /** @returns {boolean} whether the key was for the list */
  key(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#move(step);
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#at);
    else if (event.key === "Escape") this.close(this.#start);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  close(closedAt = -1) {
    this.#closedAt = closedAt;
    if (!this.open) return;
    this.element.hidden = true;
    for (const name of ["role", "aria-expanded", "aria-controls", "aria-activedescendant"])
      this.#input.removeAttribute(name);
  }

  #move(step) {
    this.#at = (this.#at + step + this.#found.length) % this.#found.length;
    this.#show();
  }

  #show() {
    const options = this.#found.map((person, at) => this.#option(person, at));
    fill(this.element, options);
    this.element.hidden = false;
    this.#input.setAttribute("role", "combobox");
    this.#input.setAttribute("aria-expanded", "true");
    this.#input.setAttribute("aria-controls", this.element.id);
    this.#input.setAttribute("aria-activedescendant", options[this.#at].id);
    options[this.#at].scrollIntoView({ block: "nearest" });
  }

  #option({ user_id: user, name }, at) {
    return h(
      "li",
      {
        role: "option",
        id: `${this.element.id}-${at}`,
        "aria-selected": String(at === this.#at),
        "data-at": String(at),
        "data-testid": "mention-option",
      },
      avatar(user, "small"),
      h("span", {}, user),
      name && name !== user && h("small", {}, name),
    );
  }

  #clicked(event) {
    event.preventDefault();
    const option = event.target.closest("[data-at]");
    if (option) this.#choose(Number(option.dataset.at));
  }

  #choose(at) {
    const { value, selectionStart } = this.#input;
    const done = completed(value, selectionStart, this.#start, this.#found[at].user_id);
    this.#input.value = done.text;
    this.#input.setSelectionRange(done.caret, done.caret);
    this.close();
    this.#changed();
  }
}
