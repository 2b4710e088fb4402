/** One conversation: its head, its messages, what is going on in it, and where one writes. */

import { hasOlder, visible } from "../parley/timeline.js";
import { Announcer } from "./announcer.js";
import { Composer } from "./composer.js";
import { confirm, toast } from "./dialogs.js";
import { h } from "./dom.js";
import { names } from "./format.js";
import { Head, nameOf } from "./head.js";
import { itemsOf } from "./items.js";
import { MessageList } from "./message-list.js";
import { bodyText } from "./notices.js";
import { mentioned } from "./text.js";

export class Conversation {
  #client;
  #announcer;
  #head;
  #typing = h("div", { class: "typing", "data-testid": "typing", "aria-live": "polite" });
  #list;
  #composer;
  #place = null; // a record of Rooms, or {to: user}
  #begun = false; // the reader was put where she left
  #loading = false;
  #broken = false; // the last attempt to load history failed
  #newAfter = null; // seq after which the "new" line stands
  #unread = 0; // as of the last drawing
  #wasOnline = false; // the same

  constructor(client, drafts, go) {
    this.#client = client;
    this.#head = new Head(client, go);
    this.#announcer = new Announcer(client.me);
    this.#list = new MessageList({
      older: (byReader) => this.#older(byReader),
      bottom: () => this.#read(),
    });
    this.#composer = new Composer(
      {
        send: (text, replyTo) => this.#send(text, replyTo),
        edit: (item, text) => this.#edit(item, text),
        typing: () => this.#place && client.typing.keyPressed(this.#address()),
        stopped: () => this.#place && client.typing.stopped(this.#address()),
        editLast: () => this.#editLast(),
      },
      drafts,
    );
    this.element = h(
      "section",
      { class: "conversation", "aria-label": "Conversation", "data-testid": "conversation" },
      this.#head.element,
      this.#list.element,
      this.#typing,
      this.#composer.element,
      this.#announcer.element,
    );
  }

  /** Turn to a room or, for a conversation not begun, to `{to: user}`. */
  open(place) {
    this.#place = place;
    this.#begun = false;
    this.#broken = false;
    this.#newAfter = place.unread > 0 ? place.read_seq : null;
    this.#unread = place.unread ?? 0;
    this.#list.reset();
    this.#composer.open(place.id ?? `to:${place.to}`, `Write to ${nameOf(this.#client, place)}`);
    this.show();
    if (matchMedia("(hover: hover)").matches) this.#composer.focus();
  }

  /** Draw what is there now. */
  show() {
    const place = this.#place;
    if (!place) return;
    this.#head.show(place);
    this.#drawTyping();
    this.#newLine();
    this.#list.show(this.#items(), this.#context());
    this.#list.waiting(place.unread ?? 0);
    this.#begin();
    if (place.id && place.from_seq === null) this.#older();
    if (this.#begun && place.id) this.#announcer.show(visible(place));
  }

  /** The page has come to the front, or the reader to the bottom: what is seen is read. */
  #read() {
    if (!this.#begun || !this.#attentive()) return;
    const newest = visible(this.#place).at(-1);
    if (newest) this.#client.read(this.#place, newest.seq);
  }

  looked() {
    if (this.#place?.id) this.#read();
  }

  // -- drawing -------------------------------------------------------------------------

  #items() {
    const place = this.#place;
    const room = place.id ? place : null;
    const offline = this.#client.status === "offline";
    const { me } = this.#client;
    const items = itemsOf({
      room,
      pending: this.#client.pending(place),
      me,
      newAfter: this.#newAfter,
      offline,
    });
    if (!room) return [{ kind: "beginning", key: "beginning" }, ...items];
    return hasOlder(room)
      ? [{ kind: "older", key: "older", text: this.#olderText() }, ...items]
      : items;
  }

  #olderText() {
    if (this.#client.status !== "online")
      return "Earlier messages appear when the connection is back.";
    return this.#broken
      ? "Earlier messages could not be loaded. Scroll to try again."
      : "Loading earlier messages…";
  }

  #context() {
    const users = this.#place.info?.members ?? [];
    const act = {
      react: (item, emoji, on) => this.#client.react(this.#place, item, emoji, on),
      reply: (item) => this.#composer.reply(item),
      edit: (item) => this.#composer.edit(item),
      delete: (item) => this.#delete(item),
      retry: (item) => this.#client.retry(item.entry),
      discard: (item) => this.#client.discard(item.entry),
      show: (id) =>
        this.#list.reveal(id) || toast("That message is further up: scroll to load it."),
    };
    return { me: this.#client.me, users, act };
  }

  #drawTyping() {
    const users = this.#place.id ? this.#client.typing.who(this.#place.id) : [];
    const text = users.length ? `${names(users)} ${users.length === 1 ? "is" : "are"} typing…` : "";
    if (this.#typing.textContent !== text) this.#typing.textContent = text;
  }

  /** Put the reader where she left, once there is something to put her at. */
  #begin() {
    const { id, from_seq: from } = this.#place;
    if (this.#begun || (id && from === null && this.#client.status !== "offline")) return;
    this.#begun = true;
    if (id) this.#announcer.begin(visible(this.#place));
    this.#list.begin();
    this.#read();
  }

  /** What arrives while nobody looks begins at a line. */
  #newLine() {
    const { unread = 0, read_seq } = this.#place;
    // What was caught up with arrived while nobody could look: hence the status of last time.
    const looked = this.#wasOnline && this.#attentive();
    if (unread > 0 && this.#unread === 0 && !looked) this.#newAfter = read_seq;
    this.#unread = unread;
    this.#wasOnline = this.#client.status === "online";
  }

  #attentive() {
    const looking = document.visibilityState === "visible" && document.hasFocus();
    return (
      Boolean(this.#place?.id) && looking && this.#list.atBottom && this.#client.status === "online"
    );
  }

  // -- doing ----------------------------------------------------------------------------

  /** `typing` takes the room, or the user where there is none yet. */
  #address() {
    return this.#place.id ? { room_id: this.#place.id } : { to: this.#place.to };
  }

  #send(text, replyTo) {
    const content = { text, ...(replyTo ? { reply_to: replyTo } : {}), ...this.#named(text) };
    this.#newAfter = null;
    this.#list.toBottom();
    return this.#tried(() => this.#client.send(this.#place, content));
  }

  #edit(item, text) {
    if (text === item.content.text) return undefined;
    const { reply_to } = item.content;
    const content = { text, ...(reply_to ? { reply_to } : {}), ...this.#named(text) };
    return this.#tried(() => this.#client.edit(this.#place, item, content));
  }

  #named(text) {
    const mentions = mentioned(text, this.#place.info?.members ?? []);
    return mentions.length ? { mentions } : {};
  }

  /** The device may refuse to keep it (storage full): then it stays in the composer. */
  #tried(work) {
    try {
      work();
      return true;
    } catch (error) {
      console.error(error);
      toast("This device has no room to keep the message. Nothing was sent.");
      return false;
    }
  }

  async #delete(item) {
    const sure = await confirm("Delete this message?", bodyText(item.content), "Delete");
    if (sure) this.#tried(() => this.#client.delete(this.#place, item));
  }

  #editLast() {
    const mine = this.#items().findLast(
      (item) =>
        item.kind === "message" && item.mine && item.id && !item.deleted && item.state === "sent",
    );
    if (mine) this.#composer.edit(mine);
  }

  /** Load the page before. After a failure only the reader starts another try. */
  async #older(byReader = false) {
    const room = this.#place;
    if (this.#broken && !byReader) return;
    if (!room?.id || this.#loading || !hasOlder(room) || this.#client.status !== "online") return;
    this.#loading = true;
    try {
      await this.#client.loadOlder(room);
      this.#broken = false;
    } catch {
      this.#broken = true;
    }
    this.#loading = false;
    if (room === this.#place) this.show();
  }
}
