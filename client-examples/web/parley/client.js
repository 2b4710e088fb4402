/**
 * The Parley client: everything a chat application needs, without a page.
 *
 * It holds the parts together: `Connection` talks, `Rooms` knows, `Outbox` keeps
 * what is to be said, `Store` remembers over a reload. What is asked at once, and
 * fails when offline, is in `memberships`, `moderation` and `roster`.
 *
 * Emits `status`, `list`, `change room`, `removed id`, `waiting`, `parted parting`,
 * `outbox`, `typing`, `presence`, `inbox`, `said room message` (live, by somebody else), `news
 * notification`, `system payload` and `refused {code, message}`.
 *
 * `/chat` is what it cannot do without. A server that has no `/presence` or no `/notification` is
 * as good: then nothing is known of who is here, or there is no inbox.
 */

import { Connection } from "./connection.js";
import { Delivery } from "./delivery.js";
import { Emitter } from "./emitter.js";
import { Finder } from "./finder.js";
import { Inbox } from "./inbox.js";
import { Keeper } from "./keeper.js";
import { Memberships } from "./memberships.js";
import { Moderation } from "./moderation.js";
import { Outbox } from "./outbox.js";
import { OwnStatus } from "./own-status.js";
import { Partings } from "./partings.js";
import { Presence } from "./presence.js";
import { Rooms } from "./rooms.js";
import { Roster } from "./roster.js";
import { Store } from "./store.js";
import { Typing } from "./typing.js";
import { Waiting } from "./waiting.js";

const PAGE = 50; // messages

export class Client extends Emitter {
  #connection;
  #beside; // connections to other namespaces
  #delivery;
  #store;
  #keeper;
  #inboxStore;
  #inboxKeeper;
  #token;
  #failedOnce = false;

  /**
   * @param {object} parts
   * @param {Function} parts.io      from socket.io-client
   * @param {string} parts.user      the `sub` of the token
   * @param {string} parts.token
   * @param {import("./store.js").Store} parts.store
   * @param {import("./store.js").Store} [parts.inboxStore]  without it nothing of the inbox is kept
   * @param {Storage} parts.storage  for the outbox, and how she wants to be seen
   * @param {string} [parts.url]
   */
  constructor({ io, user, token, store, inboxStore, storage, url }) {
    super();
    inboxStore ??= new Store(user, { factory: null });
    this.me = user;
    this.#token = token;
    this.#store = store;
    this.#inboxStore = inboxStore;
    const connect = (namespace, auth) => new Connection({ io, url, namespace, auth });
    this.#connection = connect("/chat", () => this.#auth());
    const presence = connect("/presence", () => ({ token: this.#token }));
    const notification = connect("/notification", () => this.#inboxAuth());
    this.#beside = [presence, notification];
    const request = (event, payload) => this.#connection.request(event, payload);
    this.rooms = new Rooms({ me: user, request });
    this.waiting = new Waiting({ me: user });
    this.partings = new Partings({ request });
    const { rooms, waiting, partings } = this;
    this.memberships = new Memberships({ request, rooms, waiting, partings });
    this.moderation = new Moderation({ request });
    this.roster = new Roster({ request, changed: (room) => rooms.changed(room) });
    this.newFinder = () => new Finder({ request });
    this.#keeper = new Keeper({ store, get: (id) => rooms.get(id) });
    this.inbox = new Inbox({ connection: notification });
    this.#inboxKeeper = new Keeper({ store: inboxStore, get: () => this.inbox.record });
    this.outbox = new Outbox({ user, storage });
    this.typing = new Typing({ me: user, say: (...said) => this.#connection.hint(...said) });
    this.presence = new Presence({ me: user, connection: presence });
    this.ownStatus = new OwnStatus({
      me: user,
      connection: presence,
      presence: this.presence,
      storage,
    });
    this.#delivery = new Delivery({
      outbox: this.outbox,
      send: request,
      online: () => this.#connection.online,
      delivered: (entry, data) => this.#delivered(entry, data),
    });
    this.#wire();
  }

  /** @returns {"connecting"|"offline"|"syncing"|"online"} */
  get status() {
    if (this.#connection.online) return this.rooms.upToDate ? "online" : "syncing";
    return this.#failedOnce ? "offline" : "connecting";
  }

  /** Show what is stored, then connect. */
  async start() {
    const [rooms, [inbox]] = await Promise.all([this.#store.load(), this.#inboxStore.load()]);
    this.rooms.load(rooms);
    this.inbox.load(inbox);
    this.#connection.open();
  }

  /** Leave the server, keep what is stored. */
  stop() {
    this.#close();
    this.flush();
  }

  /** Leave nothing of this user on this device. */
  async forget() {
    this.#close();
    this.outbox.clear();
    this.ownStatus.clear();
    await Promise.all([this.#keeper.clear(), this.#inboxKeeper.clear()]);
  }

  /** Go on with another token of the same user. */
  renew(token) {
    this.#token = token;
    this.#connection.open();
  }

  /** Try now instead of at the end of the backoff. */
  hurry() {
    if (!this.#connection.waiting) return;
    // All of them: while one waits, the library stays with its backoff.
    for (const connection of [this.#connection, ...this.#beside]) connection.close();
    this.#connection.open();
  }

  // -- what the user does: kept in the outbox until the server has it ----------------

  /** @param {{id: string, info: object}|{to: string}} place  a room, or the user to write to */
  send(place, content) {
    const to = place.to ?? place.peer;
    const payload = to ? { to, content } : { room_id: place.id, content };
    return this.#keep(place, to ? "private" : "chat", payload);
  }

  edit(room, message, content) {
    return this.#keep(room, "edit_message", { message_id: message.id, content });
  }

  delete(room, message) {
    return this.#keep(room, "delete_message", { message_id: message.id });
  }

  react(room, message, emoji, on) {
    return this.#keep(room, "react", { message_id: message.id, emoji, on });
  }

  /** What is on its way in a room, oldest first. */
  pending(place) {
    const lane = this.#lane(place);
    return this.outbox.entries().filter((entry) => entry.lane === lane);
  }

  retry(clientId) {
    this.outbox.retry(clientId);
    this.#delivery.kick();
  }

  discard(clientId) {
    this.outbox.remove(clientId);
  }

  /** Give up all that was not sent to a place. */
  discardAll(place) {
    for (const entry of this.pending(place)) this.outbox.remove(entry.client_id);
  }

  // -- reading ------------------------------------------------------------------------

  /** Load the page of history before the known part. */
  async loadOlder(room, limit = PAGE) {
    const before = room.from_seq || undefined;
    const ask = { room_id: room.id, limit, ...(before ? { before } : {}) };
    this.rooms.older(room, await this.#connection.request("history", ask), before);
  }

  /** Everything up to `seq` was seen. */
  read(room, seq) {
    if (seq <= room.read_seq || room.watching) return;
    this.rooms.read(room, seq);
    this.#tellRead(room);
  }

  // -- inside ------------------------------------------------------------------------

  #close() {
    this.#delivery.close();
    this.rooms.close();
    this.presence.close();
    this.ownStatus.close();
    this.inbox.close();
    for (const connection of [this.#connection, ...this.#beside]) connection.close();
  }

  #auth() {
    const since = this.rooms.since();
    return since ? { token: this.#token, since } : { token: this.#token };
  }

  #inboxAuth() {
    return { token: this.#token, since: this.inbox.since() };
  }

  #lane(place) {
    if (place.to) return `to:${place.to}`;
    return place.peer ? `to:${place.peer}` : place.id;
  }

  #keep(place, event, payload) {
    const entry = this.outbox.add(this.#lane(place), event, payload);
    this.#delivery.kick();
    return entry;
  }

  #delivered(entry, data) {
    if (data.message) return this.rooms.show(data.message.room_id, [data.message]);
    const { payload, event: type, client_id } = entry;
    const { id, seq, timestamp, room_id = payload.room_id } = data;
    const content = { message_type: "text", ...payload.content };
    // rev 0: the server may have stored it otherwise (masked words, an edit since
    // the first try), so whatever it says itself replaces this.
    const own = { type, id, room_id, seq, rev: 0, from: this.me, client_id, content, timestamp };
    this.rooms.show(room_id, [own]);
  }

  #tellRead(room) {
    this.#connection.hint("read", { room_id: room.id, seq: room.read_seq });
  }

  #wire() {
    const { rooms, outbox, typing, waiting, partings } = this;
    this.#connection.on("up", () => this.#up());
    this.#connection.on("down", () => this.#down());
    this.#connection.on("refused", (error) => this.emit("refused", error));
    this.#connection.on("event", (name, payload) => this.#take(name, payload));
    rooms.on("change", (room) => this.#keeper.save(room));
    rooms.on("removed", (id) => this.#keeper.remove(id));
    rooms.on("mine", (message) => outbox.remove(message.client_id));
    rooms.on("unsent-read", (room) => this.#tellRead(room));
    for (const name of ["list", "change", "removed"]) {
      rooms.on(name, (...values) => this.emit(name, ...values));
    }
    rooms.on("described", () => this.roster.requests(rooms.all()).catch(() => {}));
    rooms.on("waiting", (views) => waiting.replace(views));
    rooms.on("stray", (row) => waiting.row(row));
    rooms.on("sent-away", (room, row) => partings.sentAway(room, row));
    rooms.on("gone", (room) => partings.gone(room));
    waiting.on("ended", (ended) => partings.ended(ended));
    for (const part of [waiting, partings]) part.on("change", () => this.emit("waiting"));
    partings.on("parted", (parting) => this.emit("parted", parting));
    outbox.on("change", () => this.emit("outbox"));
    typing.on("change", (roomId) => this.emit("typing", roomId));
    for (const part of [this.presence, this.ownStatus])
      part.on("change", () => this.emit("presence"));
    this.#wireInbox();
  }

  #wireInbox() {
    const { rooms, inbox } = this;
    const settle = (room) => inbox.roomRead(room.id, room.read_seq);
    inbox.on("change", () => this.#inboxKeeper.save(inbox.record));
    inbox.on("change", () => this.emit("inbox"));
    // Read anywhere, at any time: here, on another device, while this one was away.
    inbox.on("live", () => rooms.all().forEach(settle));
    rooms.on("change", settle);
    for (const name of ["news", "passing"]) inbox.on(name, (one) => this.emit("news", one));
    rooms.on("said", (...said) => this.emit("said", ...said));
  }

  #up() {
    this.#failedOnce = true;
    this.rooms.connected();
    // Also those that were refused: this may be another node, and a newer one.
    for (const connection of this.#beside) connection.open();
    this.emit("status");
    this.#delivery.kick();
  }

  #down() {
    this.#failedOnce = true;
    this.flush(); // for as long as it lasts, what this device has is all there is
    this.typing.clear();
    this.emit("status");
  }

  #take(name, payload) {
    this.typing.take(name, payload);
    this.rooms.take(name, payload);
    if (name === "system") this.#told(payload);
    if (name === "sync") this.emit("status");
  }

  #told(payload) {
    const room = this.rooms.get(payload.room_id);
    if (payload.code === "invited") {
      this.waiting.invited(payload);
      this.partings.dismiss(payload.room_id);
      this.memberships.look(payload.room_id).catch(() => {}); // what she may do about it
    }
    // Where the room is catching up, the row that says the same is not there yet.
    if (payload.code === "join_requested" && room)
      this.roster.load(room, "pending").catch(() => {});
    this.emit("system", payload);
  }

  /** Another tab wrote: show it, and send what is in the outbox if that tab cannot. */
  touched(key) {
    this.outbox.touched(key);
    this.ownStatus.touched(key);
    this.#delivery.kick();
  }

  /** Store what changed, now. */
  flush() {
    this.#keeper.flush();
    this.#inboxKeeper.flush();
  }
}
