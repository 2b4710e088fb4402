/** The list of conversations, the newest first, and who is signed in. */

import { visible } from "../parley/timeline.js";
import { Account } from "./account.js";
import { roomSign } from "./avatar.js";
import { Bell } from "./bell.js";
import { fill, h, reconcile } from "./dom.js";
import { count, shortTime } from "./format.js";
import { icon, iconButton } from "./icons.js";
import { previewText } from "./notices.js";
import { placeName } from "./place.js";
import { withDot } from "./presence-words.js";
import { roving } from "./roving.js";
import { WaitingList } from "./waiting-list.js";

const SEARCH_FROM = 8; // rooms; fewer are seen at a glance

export class Sidebar {
  #client;
  #waiting;
  #list = h("ul", { class: "rooms", "aria-label": "Conversations", "data-testid": "rooms" });
  #rove = roving(this.#list, ".room");
  #empty = h("div", { class: "empty-list", "data-testid": "no-rooms" });
  #account;
  #bell;
  #search = h("input", {
    type: "search",
    placeholder: "Find a conversation",
    "aria-label": "Find a conversation",
    "data-testid": "room-search",
  });
  #finder = h("div", { class: "finder", hidden: true }, icon("search"), this.#search);

  /** @param {object} on   go(route), fresh(start), signOut(), another (false where there is none) */
  constructor(client, on) {
    this.#client = client;
    this.#waiting = new WaitingList(client, on.go);
    this.#account = new Account(client, on);
    this.#bell = new Bell(client, on.go);
    this.#search.oninput = () => this.show(this.route);
    this.element = h(
      "nav",
      { class: "sidebar", "aria-label": "Conversations" },
      h(
        "header",
        {},
        h("h1", {}, h("span", { class: "logo", "aria-hidden": "true" }), "Parley"),
        this.#bell.element,
        iconButton("compass", "Find a room", {
          "data-testid": "find-rooms",
          onclick: () => on.fresh("find"),
        }),
        h(
          "button",
          { type: "button", class: "new", "data-testid": "new", onclick: () => on.fresh() },
          icon("plus"),
          "New",
        ),
      ),
      h(
        "div",
        { class: "sidebar-scroll" },
        this.#waiting.element,
        this.#finder,
        h("h2", { class: "hidden" }, "Conversations"),
        this.#list,
        this.#empty,
      ),
      this.#account.element,
    );
    fill(
      this.#empty,
      h("p", {}, h("b", {}, "No conversations yet")),
      h("p", {}, "Make a room, find one, or write to someone."),
      h("button", { type: "button", class: "primary", onclick: () => on.fresh() }, "Start talking"),
    );
  }

  /** Draw the list for the open route. */
  show(route) {
    this.route = route;
    this.#waiting.show(route);
    const rows = this.#rows(route);
    const wanted = this.#search.value.trim().toLowerCase();
    const found = wanted ? rows.filter((row) => row.name.toLowerCase().includes(wanted)) : rows;
    reconcile(this.#list, found, (row) => drawRow(row));
    this.#rove();
    this.#finder.hidden = rows.length < SEARCH_FROM;
    this.#empty.hidden = rows.length > 0 || this.#client.status !== "online";
    this.#account.show();
    this.#bell.show();
  }

  #rows(route) {
    const rows = this.#client.rooms.all().map((room) => this.#row(room, route));
    const { user } = route;
    if (user) rows.push({ ...draftRow(user), here: this.#client.presence.of(user)?.status });
    return rows.sort((a, b) => b.at - a.at);
  }

  #row(room, route) {
    const direct = room.info?.type === "direct";
    const newest = newestOf(room);
    const shown = newest && !(direct && newest.type === "join_room") ? newest : null;
    const time = newest?.timestamp ?? room.info?.created_at;
    const waiting = this.#client.pending(room).some((entry) => entry.failed);
    return {
      key: room.id,
      href: `#room/${room.id}`,
      name: placeName(room),
      info: room.info ? { id: room.id, type: room.info.type } : null,
      peer: room.peer,
      here: this.#client.presence.of(room.peer)?.status,
      preview: waiting ? "Not sent" : shown ? previewText(shown, this.#client.me, direct) : "",
      failed: waiting,
      watching: room.watching,
      muted: this.#client.inbox.mutes(room.id),
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
      withDot(roomSign(row.info, row.peer), row.here),
      h(
        "span",
        { class: "room-line" },
        h("span", { class: "room-name", dir: "auto" }, row.name),
        row.watching && sign("eye", "You are looking in"),
        row.muted && sign("bell-off", "Muted"),
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

function sign(name, text) {
  return h(
    "span",
    { class: "room-sign", title: text },
    icon(name),
    h("span", { class: "hidden" }, text),
  );
}

function badge({ unread, mentions }) {
  const text = mentions ? " unread, you are named" : " unread";
  return h(
    "span",
    { class: mentions ? "badge named" : "badge", "data-testid": "unread" },
    `${mentions ? "@ " : ""}${count(unread)}`,
    h("span", { class: "hidden" }, text),
  );
}
