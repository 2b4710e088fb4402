/**
 * What the user wrote and the server has not acknowledged yet.
 *
 * Each entry lies under its own key in localStorage: writing is synchronous (a
 * reload right after Enter loses nothing) and tabs never overwrite one another,
 * as they would with one shared list. Order is that of the keys.
 */

import { Emitter } from "./emitter.js";
import { newClientId } from "./ids.js";

/** The server remembers client_ids for 7 days; a later retry could store twice. */
export const GIVE_UP_AFTER = 6 * 24 * 3600 * 1000; // ms

/**
 * @typedef {object} Entry
 * @property {string} client_id   one for every try
 * @property {string} lane        entries of one lane go out one after the other
 * @property {string} event       "chat", "private", "edit_message", …
 * @property {object} payload     without the client_id
 * @property {number} created_at  ms
 * @property {number} attempts
 * @property {number} retry_at    ms; not before
 * @property {{code: string, message: string}|null} failed   a retry cannot cure it; the user decides
 */

/** Emits `change` when entries come, go or change, in this tab or another. */
export class Outbox extends Emitter {
  #prefix;
  #storage;
  #now;
  #last = 0;

  constructor({ user, storage = localStorage, now = Date.now }) {
    super();
    this.#prefix = `parley:outbox:${user}:`;
    this.#storage = storage;
    this.#now = now;
  }

  /** Keep something to send; it is stored when this returns. */
  add(lane, event, payload) {
    const entry = {
      key: this.#nextKey(),
      client_id: newClientId(),
      lane,
      event,
      payload,
      created_at: this.#now(),
      attempts: 0,
      retry_at: 0,
      failed: null,
    };
    this.#write(entry);
    return entry;
  }

  /** All entries, oldest first. */
  entries() {
    const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i));
    return keys
      .filter((key) => key?.startsWith(this.#prefix))
      .sort()
      .map((key) => JSON.parse(this.#storage.getItem(key)))
      .filter(Boolean);
  }

  /** The entry to send next in a lane: failed ones wait for the user and hold up nobody. */
  next(lane) {
    return this.entries().find((entry) => entry.lane === lane && !entry.failed);
  }

  /** The lanes that have something to send. */
  lanes() {
    return new Set(this.entries().flatMap((entry) => (entry.failed ? [] : [entry.lane])));
  }

  get(clientId) {
    return this.entries().find((entry) => entry.client_id === clientId);
  }

  /** It is stored on the server, or the user gave it up. */
  remove(clientId) {
    const entry = this.get(clientId);
    if (!entry) return;
    this.#storage.removeItem(entry.key);
    this.emit("change");
  }

  /** Note something about an entry, unless it was removed meanwhile (in another tab). */
  update(clientId, changes) {
    const entry = this.get(clientId);
    if (entry) this.#write({ ...entry, ...changes });
  }

  /** The user wants a failed entry tried again. */
  retry(clientId) {
    const entry = this.get(clientId);
    if (!entry) return;
    // Only these two need a new id: under the old one the server has, or may
    // have, something else.
    const fresh = ["client_id_reused", "expired"].includes(entry.failed?.code);
    this.#write({
      ...entry,
      client_id: fresh ? newClientId() : entry.client_id,
      created_at: this.#now(),
      attempts: 0,
      retry_at: 0,
      failed: null,
    });
  }

  /** The name under which tabs of this user agree who sends. */
  lockName(lane) {
    return this.#prefix + lane;
  }

  /** Whether the entry is too old to be retried safely. */
  tooOld(entry) {
    return this.#now() - entry.created_at > GIVE_UP_AFTER;
  }

  /** Forget everything of this user on this device. */
  clear() {
    for (const entry of this.entries()) this.#storage.removeItem(entry.key);
    this.emit("change");
  }

  /** For the `storage` event of the window: another tab wrote. */
  touched(key) {
    if (key === null || key.startsWith(this.#prefix)) this.emit("change");
  }

  #write(entry) {
    this.#storage.setItem(entry.key, JSON.stringify(entry));
    this.emit("change");
  }

  /** Keys sort by time of writing, even when the clock steps back or stands still. */
  #nextKey() {
    const newest = this.entries().at(-1);
    const seen = newest ? Number(newest.key.slice(this.#prefix.length).split("-")[0]) : 0;
    this.#last = Math.max(this.#now(), this.#last + 1, seen + 1);
    return `${this.#prefix}${String(this.#last).padStart(15, "0")}-${newClientId().slice(0, 6)}`;
  }
}

/** A Storage for where the browser offers none; lasts as long as the page. */
export class MemoryStorage {
  #items = new Map();

  get length() {
    return this.#items.size;
  }

  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }

  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  setItem(key, value) {
    this.#items.set(key, String(value));
  }

  removeItem(key) {
    this.#items.delete(key);
  }
}
