/** Where one writes: new messages, replies and edits. What was begun is kept for each place. */

import { fill, h } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { MentionBox } from "./mention-box.js";
import { bodyText } from "./notices.js";

const MOST = 4000; // code points, as the server counts
const WARN = 3600;
const MOVES = new Set(["ArrowLeft", "ArrowRight", "Home", "End"]); // of the cursor in the text

export class Composer {
  #on;
  #text;
  #send;
  #mentions;
  #bar = h("div", { class: "composer-bar", "data-testid": "composer-bar", hidden: true });
  #lock = h("div", {
    class: "composer-lock",
    role: "status",
    tabindex: "-1",
    "data-testid": "composer-lock",
  });
  #locked = ""; // what `#lock` shows
  #count = h("span", { class: "composer-count", "aria-live": "polite" });
  #drafts;
  #place = null;
  #mode = null; // {kind: "edit" | "reply", item}
  #kept = ""; // what was being written when an edit began

  /**
   * @param {object} on   send(text, replyTo), edit(item, text), typing(), stopped(), editLast(),
   *   people(): see `MentionBox`
   * @param {import("./drafts.js").Drafts} drafts
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
      "aria-autocomplete": "list",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
      onkeyup: (event) => MOVES.has(event.key) && this.#mentions.update(),
      onclick: () => this.#mentions.update(),
    });
    this.#mentions = new MentionBox(
      this.#text,
      () => on.people(),
      () => this.#changed(),
    );
    this.#send = iconButton("send", "Send", {
      class: "send",
      "data-testid": "send",
      onclick: () => this.#submit(),
    });
    this.element = h(
      "div",
      { class: "composer" },
      this.#lock,
      this.#bar,
      this.#mentions.element,
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
    const target = this.#text.disabled ? this.#lock : this.#text;
    target.focus({ preventScroll: true });
  }

  /**
   * Let nobody write, and say why; what was written stays.
   *
   * @param {{kind: string, text: string}|null} lock   null lets her write
   * @param {() => Node[]} ways   what else she can do
   * @param {string} key   different where the ways are
   */
  lock(lock, ways, key) {
    const sign = lock ? JSON.stringify([lock, key]) : "";
    if (sign === this.#locked) return;
    this.#locked = sign;
    const focused = this.element.contains(document.activeElement);
    this.#text.disabled = Boolean(lock);
    this.element.dataset.lock = lock?.kind ?? "";
    fill(this.#lock, lock && [h("span", {}, lock.text), ...ways()]);
    this.#changed(false);
    if (focused) this.focus();
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
    this.#send.disabled = this.#text.disabled || !value.trim() || length > MOST;
    this.#count.textContent = length > WARN ? String(MOST - length) : "";
    this.#count.classList.toggle("over", length > MOST);
    this.#grow();
    if (typed) this.#mentions.update();
    if (this.#mode?.kind === "edit" || !this.#place) return;
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
    if (this.#mentions.key(event)) return;
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
