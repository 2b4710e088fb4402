/** The whole page once somebody is signed in: list, conversation, banner, title, address. */

import { Conversation } from "./conversation.js";
import { toast } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { sentence } from "./format.js";
import { openNew } from "./new-dialog.js";
import { currentRoute, hashOf } from "./route.js";
import { Sidebar } from "./sidebar.js";

const BANNER = {
  offline: "Offline: what you write is kept and sent when the connection is back.",
  syncing: "Catching up…",
};

export class Shell {
  #client;
  #sidebar;
  #conversation;
  #place = h("main", { class: "place" });
  #banner = h("div", { class: "banner", role: "status", "data-testid": "banner" });
  #open = undefined; // what the conversation shows: a room id, "to:user", or the name of an empty state
  #due = 0;

  /** @param {object} on   signOut(), another */
  constructor(root, client, drafts, on) {
    const go = (route) => this.#go(route);
    this.#client = client;
    this.#sidebar = new Sidebar(client, { ...on, fresh: () => openNew(client, go) });
    this.#conversation = new Conversation(client, drafts, go);
    this.element = h(
      "div",
      { class: "shell" },
      this.#sidebar.element,
      h("div", { class: "pane" }, this.#banner, this.#place),
    );
    fill(root, this.element);
    for (const name of ["list", "change", "removed", "outbox", "status", "typing"])
      client.on(name, () => this.#draw());
    client.on("system", (payload) => announce(payload));
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

  #drawPlace(route) {
    const place = route.user ? { to: route.user } : this.#client.rooms.get(route.room);
    const key = place ? (place.id ?? `to:${place.to}`) : this.#emptyKind(route);
    if (key === this.#open) return place && this.#conversation.show();
    this.#open = key;
    if (!place) return fill(this.#place, this.#empty(key, route.room));
    fill(this.#place, this.#conversation.element);
    this.#conversation.open(place);
  }

  #emptyKind({ room }) {
    if (!room) return "nothing";
    return this.#client.status === "online" ? `outside ${room}` : "wait";
  }

  #empty(kind, roomId) {
    if (kind === "wait")
      return notice("Opening…", "The conversation appears as soon as the server answers.");
    if (kind === "nothing") {
      return notice(
        "Choose a conversation",
        "Or make a room, join one by its link, or write to someone.",
        {
          text: "Start talking",
          run: () => openNew(this.#client, (route) => this.#go(route)),
        },
      );
    }
    return notice(
      "You are not in this room",
      "If it is public you can come in. Otherwise ask one of its members.",
      {
        text: "Join room",
        testid: "join",
        run: () => this.#join(roomId),
      },
      this.#unsent(roomId),
    );
  }

  /** What was written for a room before it was closed to its author is not lost without a word. */
  #unsent(roomId) {
    const entries = this.#client
      .pending({ id: roomId })
      .filter((entry) => entry.payload.content?.text);
    if (!entries.length) return null;
    const discard = () => {
      for (const entry of entries) this.#client.discard(entry.client_id);
      list.remove();
    };
    const list = h(
      "div",
      { class: "left-behind", "data-testid": "left-behind" },
      h("p", {}, "Written here and not sent:"),
      entries.map((entry) => h("blockquote", { dir: "auto" }, entry.payload.content.text)),
      h("button", { type: "button", onclick: discard }, "Discard"),
    );
    return list;
  }

  async #join(roomId) {
    try {
      const joined = await this.#client.joinRoom(roomId);
      if (joined.pending) toast("You asked to join. An admin has to agree.");
      this.#draw();
    } catch (error) {
      toast(sentence(error.message));
    }
  }

  #go(route) {
    if (route.join && !this.#client.rooms.get(route.room)) this.#join(route.room);
    location.hash = hashOf(route);
    this.#draw();
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
    const unread = this.#client.rooms.all().reduce((sum, room) => sum + room.unread, 0);
    document.title = unread ? `(${unread}) Parley` : "Parley";
  }
}

function notice(title, text, action, more) {
  return h(
    "div",
    { class: "nothing", "data-testid": "empty" },
    h("h2", {}, title),
    h("p", {}, text),
    action &&
      h(
        "button",
        {
          type: "button",
          class: "primary",
          "data-testid": action.testid ?? "start",
          onclick: action.run,
        },
        action.text,
      ),
    more,
  );
}

function announce({ code, message, error }) {
  if (code === "announcement" && message) toast(message);
  if (code === "rejected" && error) toast(sentence(error.message));
  if (code === "token_expiring")
    toast("Your session ends in a minute. Then sign in again; nothing is lost.");
}
