/** The whole page once somebody is signed in: list, conversation, banner, title, address. */

import { Conversation } from "./conversation.js";
import { Desktop } from "./desktop.js";
import { fill, h } from "./dom.js";
import { sentence } from "./format.js";
import { routeOf } from "./inbox-words.js";
import { openNew } from "./new-dialog.js";
import { Outside } from "./outside.js";
import { partingWords } from "./parting-words.js";
import { currentRoute, hashOf } from "./route.js";
import { Sidebar } from "./sidebar.js";
import { toast } from "./toasts.js";

const BANNER = {
  offline: "Offline: what you write is kept and sent when the connection is back.",
  syncing: "Catching up…",
};

const REDRAW = [
  "list",
  "change",
  "removed",
  "waiting",
  "outbox",
  "status",
  "typing",
  "presence",
  "inbox",
];

export class Shell {
  #client;
  #sidebar;
  #conversation;
  #outside;
  #place = h("main", { class: "place", tabindex: "-1" });
  #banner = h("div", { class: "banner", role: "status", "data-testid": "banner" });
  #sought = null; // {room, message}: to be shown as soon as the room is
  #open = undefined; // what is in place of the conversation: a key of `#drawPlace`
  #icon = document.querySelector("link[rel=icon]");
  #due = 0;

  /** @param {object} on   signOut(), another */
  constructor(root, client, drafts, on) {
    const go = (route) => this.#go(route);
    this.#client = client;
    this.#sidebar = new Sidebar(client, {
      ...on,
      go,
      fresh: (start) => openNew(client, go, start),
    });
    new Desktop(client, go);
    this.#conversation = new Conversation(client, drafts, go);
    this.#outside = new Outside(client, go);
    this.element = h(
      "div",
      { class: "shell" },
      this.#sidebar.element,
      h("div", { class: "pane" }, this.#banner, this.#place),
    );
    fill(root, this.element);
    for (const name of REDRAW) client.on(name, () => this.#draw());
    client.on("system", (payload) => this.#announce(payload));
    client.on("parted", (parting) => this.#parted(parting));
    addEventListener("hashchange", () => this.#draw());
    for (const name of ["focus", "visibilitychange"])
      addEventListener(name, () => this.#conversation.looked());
    this.#drawNow();
  }

  /** Many events in one moment are one drawing. A hidden page has no frames, so not those alone. */
  #draw() {
    if (this.#due) return;
    const draw = () => this.#drawNow();
    this.#due = document.hidden ? setTimeout(draw, 100) : requestAnimationFrame(draw);
  }

  #drawNow() {
    this.#due = 0;
    const route = this.#settled(currentRoute());
    this.#follow(route);
    this.element.dataset.view = route.room || route.user ? "conversation" : "list";
    this.#sidebar.show(route);
    this.#drawBanner();
    this.#drawPlace(route);
    this.#drawTitle();
  }

  /** A conversation with a user becomes a room with its first message. */
  #settled(route) {
    const room = route.user && this.#client.rooms.direct(route.user);
    if (!room) return route;
    history.replaceState(null, "", hashOf({ room: room.id }));
    return { room: room.id };
  }

  /** Hear of those who are shown with a dot: who has written to her, and who is where she looks. */
  #follow(route) {
    const { rooms, presence } = this.#client;
    const open = rooms.get(route.room);
    const member = open?.membership?.state === "member" && open.info.type !== "direct";
    const users = [route.user, ...rooms.all().map((room) => room.peer)].filter(Boolean);
    presence.follow({ users, rooms: member ? [open.id] : [] });
  }

  #drawPlace(route) {
    const place = route.user ? { to: route.user } : this.#client.rooms.get(route.room);
    const key = place ? (place.id ?? `to:${place.to}`) : this.#emptyKind(route);
    const same = key === this.#open;
    if (place) {
      if (same) this.#conversation.show();
      else this.#enter(key, place);
      return this.#reveal(place);
    }
    if (key.startsWith("outside "))
      return same ? this.#outside.show() : this.#stand(key, route.room);
    if (!same) this.#turn(key, [this.#nothing(key)]);
  }

  #enter(key, place) {
    this.#turn(key, [this.#conversation.element]);
    this.#conversation.open(place);
  }

  /** Show the message that the way here was about. */
  #reveal({ id }) {
    const sought = this.#sought;
    this.#sought = null;
    if (sought?.room === id) this.#conversation.jump(sought.message);
  }

  #stand(key, id) {
    this.#turn(key, [this.#outside.element]);
    this.#outside.open(id);
  }

  /** Put something else in place; a focus inside of what was there goes along. */
  #turn(key, content) {
    const inside = this.#place.contains(document.activeElement);
    this.#outside.close();
    this.#open = key;
    fill(this.#place, content);
    if (inside) this.#place.focus();
  }

  #emptyKind({ room }) {
    if (!room) return "nothing";
    const outside = `outside ${room}`;
    // What it is was told once; that holds while the connection comes and goes.
    return this.#client.status === "online" || this.#open === outside ? outside : "wait";
  }

  #nothing(kind) {
    if (kind === "wait")
      return notice("Opening…", "The conversation appears as soon as the server answers.");
    const start = (where) => () => openNew(this.#client, (route) => this.#go(route), where);
    return notice(
      "Choose a conversation",
      "Or make a room, find one, or write to someone.",
      button("Start talking", "start", start("room"), "primary"),
      button("Find a room", "find", start("find")),
    );
  }

  #go(route) {
    this.#sought = route.message ? route : null;
    location.hash = hashOf(route);
    this.#draw();
  }

  /** Where it is open the notice stands in its place; elsewhere it is said, and waits in the list. */
  #parted(parting) {
    const { id } = parting;
    const inPlace = currentRoute().room === id && !this.#client.rooms.get(id); // not if she looks in
    if (!inPlace) toast(partingWords(parting), "alert");
  }

  #announce({ code, message, content, error, room, room_id: id, by, user_id: user }) {
    const text = content?.text ?? message;
    if (code === "announcement" && text) toast(text);
    if (code === "rejected" && error) toast(sentence(error.message), "alert");
    if (code === "invited") toast(`${by} invites you to ${room.name}.`);
    if (code === "join_requested")
      toast(`${user} asks to join ${this.#client.rooms.get(id)?.info?.name ?? "a room"}.`);
    if (code === "token_expiring")
      toast("Your session ends in a minute. Then sign in again; nothing is lost.");
  }

  #drawBanner() {
    const { status } = this.#client;
    if (this.#banner.dataset.status === status) return;
    this.#banner.dataset.status = status;
    const text = BANNER[status];
    const again = h(
      "button",
      { type: "button", class: "link-button", onclick: () => this.#client.hurry() },
      "Try now",
    );
    fill(this.#banner, text && h("span", {}, text), status === "offline" && again);
  }

  #drawTitle() {
    const { rooms, inbox } = this.#client;
    // What is about a room is counted there.
    const letters = inbox.there ? inbox.all().filter((one) => !one.read && !routeOf(one)) : [];
    const unread = rooms.all().reduce((sum, room) => sum + room.unread, letters.length);
    document.title = unread ? `(${unread}) Parley` : "Parley";
    const sign = unread ? "style/icon-unread.svg" : "style/icon.svg";
    if (this.#icon.getAttribute("href") !== sign) this.#icon.setAttribute("href", sign);
  }
}

function notice(title, text, ...ways) {
  return h(
    "div",
    { class: "nothing", "data-testid": "empty" },
    h("h2", {}, title),
    h("p", {}, text),
    ways.length > 0 && h("div", { class: "ways" }, ways),
  );
}

const button = (text, testid, onclick, look = null) =>
  h("button", { type: "button", class: look, "data-testid": testid, onclick }, text);
