/**
 * A model of the server's side of one room: a log of positions, a feed that folds
 * and loses, a sync in pages with its hand-over. Small enough to be seen right.
 */

import { applyBehind, applyEvent, applySync, beginSync, upsert } from "../parley/rule.js";

/** A repeatable source of numbers in [0, 1). */
export function random(seed) {
  let state = seed * 2654435761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PAGE = 3; // rows

export class Log {
  #next;
  #rows = []; // rows[i] is position i + 1: {seq}
  #wire = []; // events on their way to the client, in order
  #told = 0; // newest position the feed has emitted
  #inRoom = false;

  constructor(next) {
    this.#next = next;
  }

  get head() {
    return this.#rows.length;
  }

  /** Every message in its final state, in order. */
  state() {
    const seqs = [...new Set(this.#rows.map((row) => row.seq))].sort((a, b) => a - b);
    return seqs.map((seq) => this.#message(seq, this.head));
  }

  enter(room) {
    beginSync(room);
  }

  /** Something happens: a write, an emit, a delivery, a loss, a sync page, a look at history. */
  step(room) {
    const moves = [
      "write",
      "write",
      "emit",
      "emit",
      "deliver",
      "deliver",
      "deliver",
      "lose",
      "drop",
      "sync",
      "history",
    ];
    this[`_${moves[Math.floor(this.#next() * moves.length)]}`](room);
  }

  /** Everything that is due arrives, and one more write shows what was lost. */
  settle(room) {
    this._write();
    for (let i = 0; i < 1000; i += 1) {
      this._emit();
      this._deliver(room);
      this._sync(room);
    }
  }

  _write() {
    const edit = this.head > 0 && this.#next() < 0.4;
    const target = edit ? this.#rows[Math.floor(this.#next() * this.head)].seq : this.head + 1;
    this.#rows.push({ seq: target });
  }

  /** The feed emits one position, or folds all that is due: each message once, at its newest row. */
  _emit() {
    if (this.#told === this.head) return;
    const upto = this.#next() < 0.5 ? this.#told + 1 : this.head;
    let prev = this.#told;
    for (const event of this.#folded(this.#told, upto)) {
      this.#send(event.rev === prev + 1 ? event : { ...event, prev });
      prev = event.rev;
    }
    this.#told = upto;
  }

  _deliver(room) {
    const event = this.#wire.shift();
    if (!event) return;
    if (event.behind) return void applyBehind(room);
    applyEvent(room, event);
  }

  /** A full buffer: what waits is dropped, the client is told. */
  _lose() {
    if (!this.#inRoom || this.#wire.length < 2) return;
    const from = Math.floor(this.#next() * this.#wire.length);
    this.#wire.splice(from, this.#wire.length, { behind: true });
    this.#inRoom = false;
  }

  /** One event is lost without a sign. */
  _drop() {
    const at = Math.floor(this.#next() * this.#wire.length);
    if (this.#wire[at] && !this.#wire[at].behind) this.#wire.splice(at, 1);
  }

  /** One page, answered at once; the last page is the hand-over. */
  _sync(room) {
    if (!room.syncing) return;
    this.#inRoom = false;
    const since = room.cursor === null ? 0 : Number(room.cursor.split(".")[1]);
    const last = Math.min(since + PAGE, this.head);
    const events = this.#folded(since, last);
    const reply = { state: "ok", upto: `e.${last}`, events, more: last < this.head };
    // Frames sent before the reply arrive before it.
    while (this.#wire.length) this._deliver(room);
    const verdict = applySync(room, { ...reply, floor_seq: 0 });
    if (verdict === "live") this.#handOver(last);
  }

  _history(room) {
    if (!this.head) return;
    const seq = this.#rows[Math.floor(this.#next() * this.head)].seq;
    upsert(room, this.#message(seq, this.head));
  }

  #handOver(upto) {
    this.#inRoom = true;
    // The feed may be behind what sync read: those events come again.
    this.#told = Math.min(this.#told, upto);
  }

  #send(event) {
    if (this.#inRoom) this.#wire.push(event);
  }

  #folded(after, upto) {
    const rows = this.#rows.slice(after, upto).map((row, i) => ({ ...row, rev: after + i + 1 }));
    const newest = new Map(rows.map((row) => [row.seq, row.rev]));
    return rows
      .filter((row) => newest.get(row.seq) === row.rev)
      .map((row) => this.#message(row.seq, row.rev));
  }

  /** State of a message as of position `at`. */
  #message(seq, at) {
    const rev = this.#rows.slice(0, at).findLastIndex((row) => row.seq === seq) + 1;
    return {
      type: "chat",
      id: `m${seq}`,
      room_id: "r",
      seq,
      rev,
      content: { text: `${seq}@${rev}` },
    };
  }
}
