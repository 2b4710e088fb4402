/** What of a room may be shown, and how much of it is kept. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { newRecord } from "../parley/record.js";
import { applySync, upsert } from "../parley/rule.js";
import { applyHistory, hasOlder, trimmed, visible } from "../parley/timeline.js";

const message = (seq, rev = seq) => ({
  type: "chat",
  id: `m${seq}`,
  seq,
  rev,
  content: { text: "" },
});
const seqs = (room) => visible(room).map((m) => m.seq);
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => message(from + i));

test("a change of an old message is not shown before what lies between", () => {
  const room = newRecord("r");
  applyHistory(room, { messages: range(51, 60), more: true }, undefined);
  upsert(room.log, message(3, 61));
  assert.deepEqual(
    seqs(room),
    range(51, 60).map((m) => m.seq),
  );
  applyHistory(room, { messages: range(1, 50), more: false }, 51);
  assert.equal(seqs(room).length, 60);
  assert.equal(room.log.messages.m3.rev, 61);
  assert.equal(hasOlder(room), false);
});

test("a page asked for before a reset fills nothing", () => {
  const room = newRecord("r");
  applyHistory(room, { messages: range(51, 60), more: true }, undefined);
  room.from_seq = null; // reset
  applyHistory(room, { messages: range(41, 50), more: true }, 51);
  assert.equal(room.from_seq, null);
});

test("an empty room is whole", () => {
  const room = newRecord("r");
  applyHistory(room, { messages: [], more: false }, undefined);
  assert.equal(hasOlder(room), false);
});

test("what is stored is the newest part, and knows where it begins", () => {
  const room = newRecord("r");
  applyHistory(room, { messages: range(1, 30), more: false }, undefined);
  applySync(room.log, { state: "ok", upto: "e.31", events: [message(31)], floor_seq: 0 });
  const copy = JSON.parse(JSON.stringify(trimmed(room, 10)));
  assert.deepEqual(
    seqs(copy),
    range(22, 31).map((m) => m.seq),
  );
  assert.equal(copy.from_seq, 22);
  assert.equal(copy.log.cursor, "e.31");
  assert.equal(visible(room).length, 31);
});
