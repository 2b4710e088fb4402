/** Where one writes: new messages, replies and edits. What was begun is kept for each place. */

import { h, icon, iconButton, fill } from "./dom.js";
import { bodyText } from "./notices.js";

const MOST = 4000; // code points, as the server counts
const WARN = 3600;

export class Composer {
  #on;
  #text;
  #send;
  #bar = h("div", { class: "composer-bar", "data-testid": "composer-bar", hidden: true });
  #count = h("span", { class: "composer-count", "aria-live": "polite" });
  #drafts;
  #place = null;
  #mode = null; // {kind: "edit" | "reply", item}
  #kept = ""; // what was being written when an edit began

  /**
   * @param {object} on   send(text, replyTo), edit(item, text), typing(), stopped(), editLast()
   * @param {Drafts} drafts
   */
  constructor(on, drafts) {
    this.#on = on;
    this.#drafts = drafts;
    this.#text = h("textarea", {
      rows: "1",
      "aria-label": "Message",
      "data-testid": "composer",
      dir: "auto",
      enterkeyhint: "send",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
    });
    this.#send = iconButton("send", "Send", {
      class: "send",
      "data-testid": "send",
      onclick: () => this.#submit(),
    });
    this.element = h(
      "div",
      { class: "composer" },
      this.#bar,
      h("div", { class: "composer-box" }, this.#text, this.#count, this.#send),
    );
  }

  /** Turn to another place. */
  open(place, placeholder) {
    this.#place = place;
    this.#mode = null;
    this.#text.placeholder = placeholder;
    this.#write(this.#drafts.get(place));
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  reply(item) {
    if (this.#mode?.kind === "edit") this.cancel();
    this.#turn({ kind: "reply", item });
  }

  edit(item) {
    if (this.#mode?.kind !== "edit") this.#kept = this.#text.value;
    this.#turn({ kind: "edit", item });
    this.#write(item.content.text ?? "");
  }

  /** Leave edit or reply. */
  cancel() {
    const edited = this.#mode?.kind === "edit";
    this.#turn(null);
    if (edited) this.#write(this.#kept);
  }

  #turn(mode) {
    this.#mode = mode;
    this.#showBar();
    this.#changed();
    this.focus();
  }

  #showBar() {
    this.#bar.hidden = !this.#mode;
    if (!this.#mode) return;
    const { kind, item } = this.#mode;
    const title =
      kind === "edit" ? "Edit message" : `Reply to ${item.mine ? "yourself" : item.from}`;
    fill(
      this.#bar,
      icon(kind),
      h("div", {}, h("b", {}, title), h("span", {}, bodyText(item.content))),
      iconButton("close", "Cancel (Esc)", {
        "data-testid": "composer-cancel",
        onclick: () => this.cancel(),
      }),
    );
  }

  #write(text) {
    this.#text.value = text;
    this.#showBar();
    this.#changed(false);
    this.#text.setSelectionRange(text.length, text.length);
  }

  #changed(typed = true) {
    const { value } = this.#text;
    const length = [...value].length;
    this.#send.disabled = !value.trim() || length > MOST;
    this.#count.textContent = length > WARN ? String(MOST - length) : "";
    this.#count.classList.toggle("over", length > MOST);
    this.#grow();
    if (this.#mode?.kind === "edit") return;
    this.#drafts.set(this.#place, value);
    if (typed) value.trim() ? this.#on.typing() : this.#on.stopped();
  }

  /** As high as the text, up to the limit the style sheet sets. */
  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }

  #key(event) {
    if (event.isComposing) return; // Enter ends a composition, it does not send
    if (event.key === "Enter" && !event.shiftKey && !onTouch()) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && this.#mode) {
      event.preventDefault();
      event.stopPropagation();
      this.cancel();
    } else if (event.key === "ArrowUp" && !this.#text.value && !this.#mode) {
      event.preventDefault();
      this.#on.editLast();
    }
  }

  #submit() {
    const text = this.#text.value.trim();
    if (this.#send.disabled) return;
    const { kind, item } = this.#mode ?? {};
    const done = kind === "edit" ? this.#on.edit(item, text) : this.#on.send(text, item?.id);
    if (done === false) return;
    this.#mode = null;
    this.#write(kind === "edit" ? this.#kept : "");
    this.#kept = "";
    this.#on.stopped();
    this.focus();
  }
}

/** The Enter key of a phone makes a line; sending has its button. */
const onTouch = () => matchMedia("(pointer: coarse) and (hover: none)").matches;

/** What was begun and not sent, for this tab. */
export class Drafts {
  #prefix;
  #storage;

  constructor(user, storage) {
    this.#prefix = `parley:draft:${user}:`;
    this.#storage = storage;
  }

  get(place) {
    return this.#storage.getItem(this.#prefix + place) ?? "";
  }

  set(place, text) {
    if (text) this.#storage.setItem(this.#prefix + place, text);
    else this.#storage.removeItem(this.#prefix + place);
  }

  clear() {
    const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i));
    for (const key of keys) if (key.startsWith(this.#prefix)) this.#storage.removeItem(key);
  }
}
