/** The inbox in a window: what others want this user to know, the newest first. */

import { avatar } from "./avatar.js";
import { allowDesktop, desktopState } from "./desktop.js";
import { openDialog } from "./dialogs.js";
import { fill, h, keepingFocus, reconcile } from "./dom.js";
import { icon, iconButton } from "./icons.js";
import { inboxRow } from "./inbox-words.js";
import { rowKeys } from "./roving.js";
import { complain } from "./toasts.js";

/**
 * @param {object} client
 * @param {(route: object) => void} go
 */
export async function openInbox(client, go) {
  const stops = [];
  await openDialog(
    "Notifications",
    (close, dialog) => {
      dialog.classList.add("wide");
      const leave = (route) => {
        close();
        go(route);
      };
      const view = new InboxView(client, leave);
      stops.push(client.on("inbox", () => view.show()));
      stops.push(client.on("status", () => view.load())); // it may be back
      view.load();
      return view.element;
    },
    "inbox-dialog",
  );
  for (const stop of stops) stop();
}

const ON = "Desktop notifications are on";
const DENIED = "Your browser does not let this page notify you.";

class InboxView {
  #client;
  #leave;
  #loading = false;
  #all = button("Mark all as read", "read-all", () => this.#client.inbox.readAll().catch(complain));
  #desktop = h("div", { class: "inbox-desktop" });
  #list = rowKeys(
    h("ul", { class: "inbox", "aria-label": "Notifications", "data-testid": "inbox" }),
  );
  #state = h("div", { class: "inbox-state", role: "status", tabindex: "-1" });
  #more = button("Show more", "more-inbox", () => this.#older());

  constructor(client, leave) {
    this.#client = client;
    this.#leave = leave;
    const tools = h("div", { class: "inbox-tools" }, this.#desktop, this.#all);
    this.element = h("div", { class: "inbox-page" }, tools, this.#list, this.#state, this.#more);
    this.#drawDesktop();
  }

  /** Load the first page if it is not there. */
  async load() {
    this.#loading = true;
    this.show();
    try {
      await this.#client.inbox.open();
    } catch (problem) {
      if (problem.code !== "offline") complain(problem); // then there is what is stored
    }
    this.#loading = false;
    this.show();
  }

  show() {
    const { inbox, status } = this.#client;
    const rows = inbox.all().map(inboxRow);
    keepingFocus(
      this.#list,
      () => reconcile(this.#list, rows, (row) => this.#row(row)),
      this.#state,
    );
    const online = status === "online" || status === "syncing";
    // aria-disabled: a button that is disabled loses the focus.
    this.#all.hidden = rows.length === 0;
    this.#all.setAttribute("aria-disabled", String(inbox.unread === 0 || !online));
    this.#more.hidden = rows.length === 0 || !inbox.hasMore || !online;
    this.#drawState(rows.length, online);
  }

  #drawState(count, online) {
    const kind = count ? (online ? "" : "offline") : this.#loading && online ? "loading" : "empty";
    if (this.#state.dataset.kind === kind) return;
    this.#state.dataset.kind = kind;
    fill(this.#state, STATES[kind]?.());
  }

  #row(row) {
    const { key, title, body, from, unread, time } = row;
    const text = [
      h("b", { dir: "auto" }, unread && h("span", { class: "hidden" }, "Unread: "), title),
      h("span", { class: "inbox-body", dir: "auto" }, body),
      h("small", {}, time),
    ];
    return h(
      "li",
      { class: unread ? "inbox-row unread" : "inbox-row", "data-testid": "notification" },
      from ? avatar(from, "small") : h("span", { class: "inbox-sign" }, icon("bell")),
      this.#way(row, text),
      unread &&
        iconButton("check", `Mark as read: ${title}`, {
          "data-testid": "read-one",
          onclick: () => this.#read(key).catch(complain),
        }),
      iconButton("trash", `Delete: ${title}`, {
        "data-testid": "delete-one",
        onclick: () => this.#client.inbox.delete([key]).catch(complain),
      }),
    );
  }

  /** What it is about, one click away; a notification that leads nowhere is text. */
  #way({ key, route, href, unread }, text) {
    if (!href) return h("div", { class: "inbox-text" }, text);
    const outside = route ? {} : { target: "_blank", rel: "noopener noreferrer" };
    const onclick = (event) => {
      if (unread) this.#read(key).catch(() => {}); // offline it stays unread
      if (!route || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#leave(route);
    };
    const properties = { class: "inbox-text", href, "data-testid": "open-one", onclick };
    return h("a", { ...properties, ...outside }, text);
  }

  #read(id) {
    return this.#client.inbox.read([id]);
  }

  async #older() {
    const known = this.#list.children.length;
    try {
      await this.#client.inbox.more();
    } catch (problem) {
      return complain(problem);
    }
    this.show();
    // Where the button was, the list goes on; or the button is still there.
    if (this.#more.hidden) this.#list.children[known]?.querySelector("a[href], button")?.focus();
  }

  /** Asked for by her, never by the page. */
  #drawDesktop() {
    const state = desktopState();
    const ask = async () => {
      await allowDesktop();
      keepingFocus(this.#desktop, () => this.#drawDesktop(), this.#all);
    };
    fill(
      this.#desktop,
      state === "default" && button("Notify me on the desktop", "allow-desktop", ask),
      state === "granted" && h("small", { "data-testid": "desktop-on" }, ON),
      state === "denied" && h("small", {}, DENIED),
    );
  }
}

const STATES = {
  loading: () => h("p", {}, "Loading…"),
  offline: () => h("p", {}, "Offline: this is what was here before."),
  empty: () => [
    icon("bell"),
    h("p", {}, h("b", {}, "Nothing here")),
    h("p", {}, "Mentions and private messages that come while you are away wait here."),
  ],
};

const button = (text, testid, onclick) =>
  h("button", { type: "button", "data-testid": testid, onclick }, text);
