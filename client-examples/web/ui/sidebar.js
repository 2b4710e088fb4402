/** The list of conversations, the newest first, and who is signed in. */

import { visible } from "../parley/timeline.js";
import { avatar, roomSign } from "./avatar.js";
import { fill, h, icon, iconButton, reconcile } from "./dom.js";
import { count, shortTime } from "./format.js";
import { previewText } from "./notices.js";

const SEARCH_FROM = 8; // rooms; fewer are seen at a glance

const STATUS = {
  online: "Connected",
  syncing: "Catching up",
  connecting: "Connecting",
  offline: "Offline",
};

export class Sidebar {
  #client;
  #list = h("ul", { class: "rooms", "aria-label": "Conversations", "data-testid": "rooms" });
  #empty = h("div", { class: "empty-list", "data-testid": "no-rooms" });
  #status = h("span", { class: "account-status", "data-testid": "connection" });
  #search = h("input", {
    type: "search",
    placeholder: "Find a conversation",
    "aria-label": "Find a conversation",
    "data-testid": "room-search",
  });
  #finder = h("div", { class: "finder", hidden: true }, icon("search"), this.#search);

  /** @param {object} on   fresh(), signOut(), another() (null where there is none) */
  constructor(client, on) {
    this.#client = client;
    this.#search.oninput = () => this.show(this.route);
    this.element = h(
      "nav",
      { class: "sidebar", "aria-label": "Conversations" },
      h(
        "header",
        {},
        h("h1", {}, h("span", { class: "logo", "aria-hidden": "true" }), "Parley"),
        h(
          "button",
          { type: "button", class: "new", "data-testid": "new", onclick: on.fresh },
          icon("plus"),
          "New",
        ),
      ),
      this.#finder,
      this.#list,
      this.#empty,
      account(client.me, this.#status, on),
    );
    fill(
      this.#empty,
      h("p", {}, h("b", {}, "No conversations yet")),
      h("p", {}, "Make a room, join one by its link, or write to someone."),
      h("button", { type: "button", class: "primary", onclick: on.fresh }, "Start talking"),
    );
  }

  /** Draw the list for the open route. */
  show(route) {
    this.route = route;
    const rows = this.#rows(route);
    const wanted = this.#search.value.trim().toLowerCase();
    const found = wanted ? rows.filter((row) => row.name.toLowerCase().includes(wanted)) : rows;
    reconcile(this.#list, found, (row) => drawRow(row));
    this.#finder.hidden = rows.length < SEARCH_FROM;
    this.#empty.hidden = rows.length > 0 || this.#client.status !== "online";
    this.#status.textContent = STATUS[this.#client.status];
    this.#status.dataset.status = this.#client.status;
  }

  #rows(route) {
    const rows = this.#client.rooms.all().map((room) => this.#row(room, route));
    if (route.user) rows.push(draftRow(route.user));
    return rows.sort((a, b) => b.at - a.at);
  }

  #row(room, route) {
    const direct = room.info?.type === "direct";
    const peer = direct ? this.#client.rooms.peer(room) : null;
    const newest = newestOf(room);
    const shown = newest && !(direct && newest.type === "join_room") ? newest : null;
    const time = newest?.timestamp ?? room.info?.created_at;
    const waiting = this.#client.pending(room).some((entry) => entry.failed);
    return {
      key: room.id,
      href: `#room/${room.id}`,
      name: peer ?? room.info?.name ?? "…",
      info: room.info ? { id: room.id, type: room.info.type } : null,
      peer,
      preview: waiting ? "Not sent" : shown ? previewText(shown, this.#client.me, direct) : "",
      failed: waiting,
      time: time ? shortTime(time) : "",
      at: time ? Date.parse(time) : 0,
      unread: room.unread,
      mentions: room.mentions,
      open: route.room === room.id,
    };
  }
}

/** A conversation that begins with its first message. */
const draftRow = (user) => ({
  key: `user ${user}`,
  href: `#user/${user}`,
  name: user,
  info: null,
  peer: user,
  preview: "New conversation",
  time: "",
  at: Infinity,
  unread: 0,
  mentions: 0,
  open: true,
});

/** What is loaded may be older than what the server named as the last, or newer. */
function newestOf(room) {
  const own = visible(room).at(-1);
  if (!own || !room.last) return own ?? room.last;
  return own.seq >= room.last.seq ? own : room.last;
}

function drawRow(row) {
  const unread = row.unread > 0 && !row.open;
  return h(
    "li",
    {},
    h(
      "a",
      {
        href: row.href,
        class: unread ? "room unread" : "room",
        "aria-current": row.open ? "page" : null,
        "data-testid": "room",
        "data-room": row.key,
      },
      roomSign(row.info, row.peer),
      h(
        "span",
        { class: "room-line" },
        h("span", { class: "room-name", dir: "auto" }, row.name),
        h("span", { class: "room-time" }, row.time),
      ),
      h(
        "span",
        { class: "room-line" },
        h(
          "span",
          { class: row.failed ? "room-preview failed" : "room-preview", dir: "auto" },
          row.preview,
        ),
        row.unread > 0 && badge(row),
      ),
    ),
  );
}

function badge({ unread, mentions }) {
  const label = mentions ? `${unread} unread, you are named` : `${unread} unread`;
  return h(
    "span",
    { class: mentions ? "badge named" : "badge", "aria-label": label, "data-testid": "unread" },
    `${mentions ? "@ " : ""}${count(unread)}`,
  );
}

function account(me, status, on) {
  return h(
    "footer",
    { class: "account" },
    avatar(me, "small"),
    h("div", {}, h("b", { "data-testid": "me" }, me), status),
    on.another &&
      h(
        "a",
        {
          href: "?fresh",
          target: "_blank",
          class: "icon-button",
          "aria-label": "Sign in as someone else in a new tab",
          title: "Sign in as someone else in a new tab",
        },
        icon("group"),
      ),
    iconButton("leave", "Sign out", { "data-testid": "sign-out", onclick: on.signOut }),
  );
}
