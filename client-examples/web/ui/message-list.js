/**
 * The scrolling list of a conversation.
 *
 * It stays at the bottom while the reader is there, and stays on the reader's line
 * when something comes or goes above it.
 */

import { h, reconcile } from "./dom.js";
import { plural } from "./format.js";
import { icon } from "./icons.js";
import { drawItem } from "./message.js";

const NEAR = 48; // px from the bottom that still count as there
const EARLY = 400; // px from the top at which older messages are asked for

export class MessageList {
  #list = h("ol", { class: "messages" });
  #jump = h("button", {
    type: "button",
    class: "jump",
    "data-testid": "jump",
    hidden: true,
    onclick: () => this.toBottom(),
  });
  #on;
  #stuck = true; // the reader is at the bottom and stays there
  #current = null; // key of the message the keyboard is at

  /** @param {object} on   older(byReader): near the top; bottom(): the reader is at the bottom */
  constructor(on) {
    this.#on = on;
    this.scroller = h(
      "div",
      {
        class: "scroller",
        role: "region",
        "aria-label": "Messages",
        tabindex: "-1",
        "data-testid": "messages",
      },
      this.#list,
    );
    this.element = h("div", { class: "scroll-frame" }, this.scroller, this.#jump);
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("focusin", (event) =>
      this.#focused(event.target.closest(".message")),
    );
    this.#list.addEventListener("click", (event) => this.#touched(event));
    // The keyboard of a phone, a growing composer: the bottom moves, the reader does not.
    new ResizeObserver(() => this.#stuck && this.toBottom()).observe(this.scroller);
  }

  get atBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  /** Show these items; the reader's line stays where it is. */
  show(items, context) {
    const anchors = this.#stuck ? [] : this.#anchors();
    reconcile(this.#list, items, (item) => drawItem(item, context));
    this.#rove();
    const anchor = anchors.find(({ node }) => node.isConnected);
    if (anchor) this.scroller.scrollTop += anchor.node.getBoundingClientRect().top - anchor.top;
    else if (this.#stuck) this.toBottom();
    this.#check();
  }

  /** Start over: another conversation. */
  reset() {
    this.#stuck = true;
    this.#current = null;
    reconcile(this.#list, [], () => {});
  }

  /** Begin at the "new" line if it is there, else at the bottom. */
  begin() {
    const line = this.#list.querySelector(".divider.new");
    this.scroller.scrollTop = this.scroller.scrollHeight;
    const over = line
      ? line.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - 72
      : 0;
    if (over < 0) this.scroller.scrollTop += over;
    this.#scrolled();
  }

  toBottom() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#stuck = true;
    this.#check();
  }

  /** Say how many messages wait below. */
  waiting(count) {
    const text = count ? plural(count, "new message") : "Newest";
    this.#jump.replaceChildren(icon("down"), text);
    this.#jump.setAttribute(
      "aria-label",
      count ? `${text}, jump to the newest` : "Jump to the newest message",
    );
  }

  /** Bring a message into view and point at it. */
  reveal(id) {
    const node = this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (!node) return false;
    node.scrollIntoView({ block: "center" });
    node.classList.remove("pointed");
    requestAnimationFrame(() => node.classList.add("pointed"));
    return true;
  }

  /** What can be seen, from the top: whichever of it is not drawn anew holds the line. */
  #anchors() {
    const frame = this.scroller.getBoundingClientRect();
    return [...this.#list.querySelectorAll(".message, .notice")]
      .map((node) => ({ node, top: node.getBoundingClientRect().top }))
      .filter(
        ({ node, top }) => top < frame.bottom && node.getBoundingClientRect().bottom > frame.top,
      );
  }

  #scrolled() {
    this.#stuck = this.atBottom;
    this.#check(true);
  }

  #check(byReader = false) {
    this.#jump.hidden = this.#stuck;
    if (this.scroller.scrollTop < EARLY) this.#on.older(byReader);
    if (this.#stuck) this.#on.bottom();
  }

  // -- keyboard: one stop for Tab, arrows from message to message --------------------

  #rove() {
    const nodes = this.#messages();
    const current = nodes.find((node) => node.dataset.key === this.#current) ?? nodes.at(-1);
    for (const node of nodes) node.tabIndex = node === current ? 0 : -1;
  }

  #messages() {
    return [...this.#list.querySelectorAll(".message")];
  }

  #focused(node) {
    if (!node || node.dataset.key === this.#current) return;
    this.#current = node.dataset.key;
    this.#rove();
  }

  #key(event) {
    const nodes = this.#messages();
    const at = nodes.indexOf(event.target);
    if (at < 0) return event.key === "Escape" && event.target.closest(".message")?.focus();
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: nodes.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      nodes[Math.max(0, Math.min(to, nodes.length - 1))].focus();
      return;
    }
    const tool = { e: "edit", r: "reply", Delete: "delete", "+": "react" }[event.key];
    if (!tool || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.target.querySelector(`[data-testid="${tool}"]`)?.click();
  }

  /** Fingers do not hover: a tap on a message shows its tools. */
  #touched(event) {
    const message = event.target.closest(".message");
    if (event.target.closest("a, button") || getSelection()?.toString()) return;
    for (const node of this.#messages())
      node.classList.toggle("touched", node === message && !node.classList.contains("touched"));
  }
}
