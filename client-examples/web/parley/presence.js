/**
 * Who is here: of the users and the rooms that are followed, and of this user herself.
 *
 * At most once, and not kept: a connection that comes back follows everything anew. Emits `change`.
 */

import { Emitter } from "./emitter.js";
import { isHere, isNews, roomChanged, roomSeen } from "./sightings.js";

const AT_ONCE = 200; // users of one request
const MOST = 1000; // users that a socket follows
const ASK_AGAIN = 2000; // ms
const ABOUT_USERS = new Set(["user_online", "user_offline", "status"]);

export class Presence extends Emitter {
  #me;
  #connection;
  #wanted = { users: new Set(), rooms: new Set() };
  #followed = { users: new Set(), rooms: new Set() }; // what this connection was asked for
  #users = new Map(); // user → presence
  #rooms = new Map(); // room id → RoomSighting
  #again; // timer

  /**
   * @param {object} parts
   * @param {string} parts.me
   * @param {import("./connection.js").Connection} parts.connection   to `/presence`
   */
  constructor({ me, connection }) {
    super();
    this.#me = me;
    this.#connection = connection;
    connection.on("up", () => this.#follow());
    connection.on("down", () => this.#forget());
    connection.on("event", (name, payload) => this.#take(name, payload));
  }

  /** What is known of a user; undefined: nothing, for want of a connection, say. */
  of(user) {
    return this.#users.get(user);
  }

  /** This user as she is, `invisible` included. */
  get own() {
    return this.of(this.#me);
  }

  /** What is known of a room: how many are here and, unless it is large, who. */
  in(roomId) {
    const seen = this.#rooms.get(roomId);
    if (!seen) return undefined;
    return { online: seen.online, of: (user) => this.#member(seen, user) };
  }

  /**
   * Follow these and no others, from now on and over reconnects.
   *
   * @param {object} wanted
   * @param {Iterable<string>} wanted.users   the first 1,000 count
   * @param {Iterable<string>} wanted.rooms   rooms that this user is a member of
   */
  follow({ users, rooms }) {
    this.#wanted = { users: new Set([...users].slice(0, MOST)), rooms: new Set(rooms) };
    this.#follow();
  }

  /** Take what the ack of `set_status` says of this user. */
  told(content) {
    this.#see(content);
    this.emit("change");
  }

  close() {
    clearTimeout(this.#again);
  }

  // -- following -------------------------------------------------------------------------

  #follow() {
    if (!this.#connection.online) return;
    const { users, rooms } = this.#wanted;
    const followed = this.#followed;
    // First what is not wanted any more: there is a limit.
    this.#drop(beyond(followed.users, users), beyond(followed.rooms, rooms));
    this.#subscribe(beyond(users, followed.users));
    for (const id of beyond(rooms, followed.rooms)) this.#enter(id);
  }

  #subscribe(users) {
    for (let at = 0; at < users.length; at += AT_ONCE) {
      const some = users.slice(at, at + AT_ONCE);
      this.#ask("subscribe", { user_ids: some }, this.#followed.users, some, (answer) => {
        for (const content of answer.users)
          if (this.#followed.users.has(content.user_id)) this.#see(content);
      });
    }
  }

  #enter(id) {
    this.#ask("room", { room_id: id }, this.#followed.rooms, [id], (answer) => {
      if (this.#followed.rooms.has(id)) this.#rooms.set(id, roomSeen(answer));
    });
  }

  #drop(users, rooms) {
    const gone = users.filter((user) => user !== this.#me);
    for (const user of users) this.#followed.users.delete(user);
    for (const user of gone) this.#users.delete(user);
    for (let at = 0; at < users.length; at += AT_ONCE)
      this.#connection.hint("unsubscribe", { user_ids: users.slice(at, at + AT_ONCE) });
    for (const id of rooms) {
      this.#followed.rooms.delete(id);
      this.#rooms.delete(id);
      this.#connection.hint("unsubscribe", { room_id: id });
    }
  }

  /** Ask to follow; what fails for now is asked for again, the rest with the next connection. */
  async #ask(event, payload, followed, keys, take) {
    for (const key of keys) followed.add(key);
    try {
      take(await this.#connection.request(event, payload));
      this.emit("change");
    } catch (error) {
      // Of a lost connection `#forget` is the end; this set is not looked at any more.
      if (!error.retryable || error.code === "offline") return;
      for (const key of keys) followed.delete(key);
      clearTimeout(this.#again);
      this.#again = setTimeout(() => this.#follow(), error.retryAfter ?? ASK_AGAIN);
    }
  }

  // -- hearing ---------------------------------------------------------------------------

  #take(name, payload) {
    if (ABOUT_USERS.has(name)) this.#hear(payload.content);
    else if (name === "room") this.#change(payload);
  }

  #hear(content) {
    const { user_id: user } = content;
    // An event that was on its way when she was followed no more says nothing.
    if (user !== this.#me && !this.#followed.users.has(user)) return;
    this.told(content);
  }

  #change({ room_id: id, ended, ...change }) {
    if (!this.#followed.rooms.has(id)) return;
    if (ended) {
      // Who is made a member again follows it again.
      this.#followed.rooms.delete(id);
      this.#rooms.delete(id);
    } else this.#rooms.set(id, roomChanged(this.#rooms.get(id), change));
    this.emit("change");
  }

  #see(content) {
    const { user_id: user } = content;
    if (isNews(this.#users.get(user), content)) this.#users.set(user, content);
  }

  /** In a room everybody stands as others see her: an invisible one does not see herself there. */
  #member(seen, user) {
    const content = seen.users?.[user];
    return isHere(content) ? content : undefined;
  }

  #forget() {
    clearTimeout(this.#again);
    this.#followed = { users: new Set(), rooms: new Set() };
    this.#users.clear();
    this.#rooms.clear();
    this.emit("change");
  }
}

const beyond = (some, others) => [...some].filter((one) => !others.has(one));
