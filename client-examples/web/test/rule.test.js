/** The client's rule, each sentence of it, then all of it under random loss. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  applyBehind,
  applyEvent,
  applySync,
  beginSync,
  inOrder,
  newRoom,
  revOf,
  upsert,
} from "../parley/rule.js";
import { Log, random } from "./log.js";

const message = (seq, rev = seq, more = {}) => ({
  type: "chat",
  id: `m${seq}`,
  room_id: "r",
  seq,
  rev,
  content: { text: `${seq}@${rev}` },
  ...more,
});

const page = (upto, events = [], more = {}) => ({
  state: "ok",
  upto,
  head: 99,
  events,
  more: false,
  floor_seq: 0,
  ...more,
});

/** A room that is live at `rev`. */
function live(rev) {
  const room = newRoom();
  applySync(room, page(`e.${rev}`));
  return room;
}

test("a new room is not live: its first event asks for a sync from null", () => {
  const room = newRoom();
  assert.equal(applyEvent(room, message(1)), "sync");
  assert.equal(room.cursor, null);
  assert.deepEqual(room.messages, {});
});

test("the next event is applied and moves the cursor within its epoch", () => {
  const room = live(4);
  assert.equal(applyEvent(room, message(5)), "applied");
  assert.equal(room.cursor, "e.5");
  assert.equal(room.messages.m5.content.text, "5@5");
});

test("an epoch may contain dots", () => {
  const room = newRoom();
  applySync(room, page("a.b.7"));
  assert.equal(revOf(room.cursor), 7);
  applyEvent(room, message(8));
  assert.equal(room.cursor, "a.b.8");
});

test("an event seen before is ignored", () => {
  const room = live(5);
  assert.equal(applyEvent(room, message(5)), "ignored");
  assert.equal(applyEvent(room, message(2)), "ignored");
  assert.deepEqual(room.messages, {});
});

test("a gap starts a sync and leaves cursor and messages alone", () => {
  const room = live(5);
  assert.equal(applyEvent(room, message(7)), "sync");
  assert.equal(room.cursor, "e.5");
  assert.equal(room.syncing, true);
  assert.deepEqual(room.messages, {});
});

test("prev bridges positions that were folded into this event", () => {
  const room = live(5);
  assert.equal(applyEvent(room, message(9, 9, { prev: 5 })), "applied");
  assert.equal(room.cursor, "e.9");
});

test("a prev below the cursor is fine, one above it is a gap", () => {
  assert.equal(applyEvent(live(5), message(9, 9, { prev: 3 })), "applied");
  assert.equal(applyEvent(live(5), message(9, 9, { prev: 6 })), "sync");
});

test("live events are ignored while syncing, even the next one", () => {
  const room = live(5);
  beginSync(room);
  assert.equal(applyEvent(room, message(6)), "ignored");
  assert.equal(room.cursor, "e.5");
});

test("skip moves the cursor and nothing else", () => {
  const room = live(5);
  assert.equal(applyEvent(room, { room_id: "r", rev: 6 }), "applied");
  assert.equal(room.cursor, "e.6");
  assert.deepEqual(room.messages, {});
  assert.equal(applyEvent(room, { room_id: "r", rev: 9, prev: 8 }), "sync");
});

test("an older state of a message never replaces a newer one, but the cursor moves", () => {
  const room = live(5);
  upsert(room, message(3, 8));
  assert.equal(applyEvent(room, message(3, 6)), "applied");
  assert.equal(room.messages.m3.rev, 8);
  assert.equal(room.cursor, "e.6");
});

test("acks and history never move the cursor", () => {
  const room = live(5);
  assert.equal(upsert(room, message(6)), true);
  assert.equal(upsert(room, message(6)), false);
  assert.equal(room.cursor, "e.5");
  assert.equal(applyEvent(room, message(6)), "applied");
});

test("messages stand by seq, however late they change", () => {
  const room = live(0);
  for (const event of [message(1), message(2), message(1, 3)]) applyEvent(room, event);
  assert.deepEqual(
    inOrder(room).map((m) => [m.seq, m.rev]),
    [
      [1, 3],
      [2, 2],
    ],
  );
});

test("a sync page moves the cursor to upto, not to head", () => {
  const room = newRoom();
  beginSync(room);
  assert.equal(applySync(room, page("e.3", [message(3)], { more: true, head: 50 })), "more");
  assert.equal(room.cursor, "e.3");
  assert.equal(room.syncing, true);
  assert.equal(applySync(room, page("e.4", [message(4)])), "live");
  assert.equal(room.syncing, false);
});

test("reset forgets the room and takes the page with its epoch", () => {
  const room = live(5);
  applyEvent(room, message(6));
  assert.equal(applySync(room, page("new.2", [message(2)], { state: "reset" })), "live");
  assert.deepEqual(Object.keys(room.messages), ["m2"]);
  assert.equal(room.cursor, "new.2");
});

test("a message with the same id comes back after a reset even with a lower rev", () => {
  const room = live(5);
  applyEvent(room, message(6));
  applySync(room, page("new.2", [message(6, 2)], { state: "reset" }));
  assert.equal(room.messages.m6.rev, 2);
});

for (const state of ["denied", "gone"]) {
  test(`${state} removes the room`, () => {
    const room = live(5);
    applyEvent(room, message(6));
    assert.equal(applySync(room, { state }), "gone");
    assert.deepEqual(room, newRoom());
  });
}

test("what lies below the floor is dropped and does not come back", () => {
  const room = live(0);
  for (const seq of [1, 2, 3]) applyEvent(room, message(seq));
  applySync(room, page("e.3", [], { floor_seq: 3 }));
  assert.deepEqual(Object.keys(room.messages), ["m3"]);
  assert.equal(upsert(room, message(1)), false);
});

test("room_behind starts one sync from the cursor, not from its head", () => {
  const room = live(5);
  assert.equal(applyBehind(room), "sync");
  assert.equal(room.cursor, "e.5");
  assert.equal(applyBehind(room), "ignored");
});

test("the state survives JSON", () => {
  const room = live(5);
  applyEvent(room, message(6));
  const copy = JSON.parse(JSON.stringify(room));
  assert.deepEqual(copy, room);
  assert.equal(applyEvent(copy, message(7)), "applied");
});

test("with lost and repeated events and syncs in pages, every client ends equal to the log", () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const next = random(seed);
    const log = new Log(next);
    const room = newRoom();
    log.enter(room);
    for (let step = 0; step < 60; step += 1) log.step(room);
    log.settle(room);
    assert.deepEqual(inOrder(room), log.state(), `seed ${seed}`);
    assert.equal(revOf(room.cursor), log.head, `seed ${seed}`);
  }
});
