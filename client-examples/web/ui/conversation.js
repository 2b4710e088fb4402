/** One conversation: its head, its messages, what is going on in it, and where one writes. */

import { may } from "../parley/rights.js";
import { hasOlder, visible } from "../parley/timeline.js";
import { Announcer } from "./announcer.js";
import { Backlog } from "./backlog.js";
import { Composer } from "./composer.js";
import { h } from "./dom.js";
import { entryButtons } from "./entering.js";
import { names } from "./format.js";
import { Head } from "./head.js";
import { itemsOf } from "./items.js";
import { stopWatching } from "./leaving.js";
import { lockOf } from "./lock.js";
import { MessageList } from "./message-list.js";
import { placeName } from "./place.js";
import { Reader } from "./reader.js";
import { SearchBar } from "./search-bar.js";
import { toast } from "./toasts.js";
import { Writing } from "./writing.js";

export class Conversation {
  #client;
  #go;
  #announcer;
  #head;
  #search;
  #backlog;
  #typing = h("div", { class: "typing", "data-testid": "typing", "aria-live": "polite" });
  #list;
  #reader;
  #composer;
  #writing;
  #place = null; // a record of Rooms, or {to: user}
  #met = false; // its people were asked for on this visit
  #meeting = false; // they are being asked for

  constructor(client, drafts, go) {
    this.#client = client;
    this.#go = go;
    this.#head = new Head(client, { go, search: () => this.#search.open() });
    this.#announcer = new Announcer(client.me);
    this.#backlog = new Backlog(client);
    this.#list = new MessageList({
      older: (byReader) => this.#older(byReader),
      bottom: () => this.#reader.read(),
    });
    this.#reader = new Reader(client, this.#list);
    this.#writing = new Writing(client, () => this.#place);
    this.#search = this.#newSearch();
    this.#composer = this.#newComposer(drafts);
    this.element = h(
      "section",
      { class: "conversation", "aria-label": "Conversation", "data-testid": "conversation" },
      this.#head.element,
      this.#search.element,
      this.#list.element,
      this.#typing,
      this.#composer.element,
      this.#announcer.element,
    );
    // Nothing has the focus after a click beside everything: the conversation is meant.
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #newSearch() {
    return new SearchBar({
      changed: () => this.show(),
      reveal: (id) => this.#list.reveal(id),
      until: (found) => this.#backlog.until(this.#place, found),
      closed: (opener) => (opener?.isConnected ? opener.focus() : this.#composer.focus()),
    });
  }

  #newComposer(drafts) {
    const allowed = () => !this.#place.can || may(this.#place, "typing");
    const typing = (tell) => () => allowed() && tell(this.#address());
    return new Composer(
      {
        send: (text, replyTo) => this.#send(text, replyTo),
        edit: (item, text) => this.#writing.edit(item, text),
        typing: typing((address) => this.#client.typing.keyPressed(address)),
        stopped: typing((address) => this.#client.typing.stopped(address)),
        editLast: () => this.#editLast(),
        people: () => this.#writing.people(),
      },
      drafts,
    );
  }

  /** Turn to a room or, for a conversation not begun, to `{to: user}`. */
  open(place) {
    this.#place = place;
    this.#met = false;
    this.#backlog.reset();
    this.#search.reset(place.id ? place : null);
    this.#reader.open(place);
    this.#list.reset();
    this.#composer.open(place.id ?? `to:${place.to}`, `Write to ${placeName(place)}`);
    this.show();
    if (matchMedia("(hover: hover)").matches) this.#composer.focus();
  }

  /** Draw what is there now. */
  show() {
    const place = this.#place;
    if (!place) return;
    this.#head.show(place);
    const { id, can, membership } = place;
    this.#composer.lock(
      lockOf(place),
      () => this.#waysOn(),
      JSON.stringify([id, can, membership?.state]),
    );
    this.#drawTyping();
    this.#reader.notice();
    this.#search.update();
    this.#list.show(this.#items(), this.#context());
    this.#list.waiting(place.unread ?? 0);
    const begins = this.#reader.begin();
    if (id && place.from_seq === null) this.#older();
    if (id && begins) this.#announcer.begin(visible(place), place.from_seq);
    else if (id && this.#reader.begun) this.#announcer.show(visible(place));
    this.#meet();
  }

  /** The page has come to the front. */
  looked() {
    if (this.#place?.id) this.#reader.read();
  }

  // -- drawing -------------------------------------------------------------------------

  #items() {
    const place = this.#place;
    const room = place.id ? place : null;
    const { me, status } = this.#client;
    const items = itemsOf({
      room,
      pending: this.#client.pending(place),
      me,
      newAfter: this.#reader.newAfter,
      offline: status === "offline",
      marks: this.#search.marks,
    });
    if (!room) return [{ kind: "beginning", key: "beginning" }, ...items];
    return hasOlder(room)
      ? [{ kind: "older", key: "older", text: this.#backlog.text }, ...items]
      : items;
  }

  #context() {
    const act = {
      react: (item, emoji, on) => this.#client.react(this.#place, item, emoji, on),
      reply: (item) => this.#composer.reply(item),
      edit: (item) => this.#composer.edit(item),
      delete: (item) => this.#writing.delete(item),
      retry: (item) => this.#client.retry(item.entry),
      discard: (item) => this.#client.discard(item.entry),
      show: (id) => this.jump(id),
    };
    return { me: this.#client.me, act };
  }

  #drawTyping() {
    const users = this.#place.id ? this.#client.typing.who(this.#place.id) : [];
    const text = users.length ? `${names(users)} ${users.length === 1 ? "is" : "are"} typing…` : "";
    if (this.#typing.textContent !== text) this.#typing.textContent = text;
  }

  // -- doing ----------------------------------------------------------------------------

  /** Who is looking in may join, or stop. */
  #waysOn() {
    const room = this.#place;
    if (!room.watching) return [];
    const view = { room: room.info, membership: room.membership, can: room.can };
    const stop = () => stopWatching(this.#client, room, this.#go);
    return [
      ...entryButtons(this.#client, view, { go: this.#go }, ["watch"]),
      h(
        "button",
        { type: "button", "data-testid": "stop-watching", onclick: stop },
        "Stop looking in",
      ),
    ];
  }

  /** Load who is here, once for each visit, and again after a reset. */
  async #meet() {
    const room = this.#place;
    const known = this.#met && room.people?.member;
    if (known || this.#meeting || this.#client.status !== "online" || !may(room, "members")) return;
    this.#met = this.#meeting = true;
    try {
      await this.#client.roster.open(room);
    } catch {
      // Names can be completed all the same, of those who spoke.
    }
    this.#meeting = false;
  }

  /** `typing` takes the room, or the user where there is none yet. */
  #address() {
    return this.#place.id ? { room_id: this.#place.id } : { to: this.#place.to };
  }

  #send(text, replyTo) {
    this.#reader.newAfter = null;
    this.#list.toBottom();
    return this.#writing.send(text, replyTo);
  }

  #editLast() {
    const mine = this.#items().findLast(
      (item) => item.mine && item.id && item.tools?.includes("edit"),
    );
    if (mine) this.#composer.edit(mine);
  }

  /** Show a message that something refers to; load what lies between. */
  async jump(id) {
    if (this.#list.reveal(id)) return;
    const room = this.#place;
    toast("Looking for that message…");
    const there = () => room !== this.#place || visible(room).some((message) => message.id === id);
    const found = await this.#backlog.until(room, there);
    if (room !== this.#place) return;
    this.show();
    if (!found || !this.#list.reveal(id))
      toast("That message is not there any more, or too far back.");
  }

  async #older(byReader = false) {
    const room = this.#place;
    const tried = (await this.#backlog.older(room, { byReader })) !== undefined;
    if (tried && room === this.#place) this.show();
  }

  #key(event) {
    const wanted = event.key === "f" && (event.ctrlKey || event.metaKey) && !event.altKey;
    const here = document.activeElement === document.body || this.element.contains(event.target);
    if (!wanted || !here || !this.#place?.id || !this.element.isConnected) return;
    if (event.target.closest(".search-bar")) return; // the second time it is the browser's
    event.preventDefault();
    this.#search.open();
  }
}
