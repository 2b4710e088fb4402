/** Rooms: gaps become syncs, new rooms appear, counts stay right. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { offline, timedOut } from "../parley/errors.js";
import { info, live, ME, message, page, setUp, settled } from "./world.js";

test("the first connect sends no cursors, the next one the present ones", () => {
  const { rooms } = setUp();
  assert.equal(rooms.since(), undefined);
  rooms.take("sync", { rooms: { r: page("e.5") }, done: true });
  rooms.take("chat", message(6));
  assert.deepEqual(rooms.since(), { r: "e.6" });
});

test("rooms are up to date when the server says done", () => {
  const { rooms } = setUp();
  rooms.connected();
  rooms.take("sync", { rooms: { r: page("e.5", [], { more: true }) } });
  assert.equal(rooms.upToDate, false);
  rooms.take("sync", { rooms: { r: page("e.7") }, done: true });
  assert.equal(rooms.upToDate, true);
});

test("what the server pushes after connect is not asked for again", async () => {
  const { rooms, syncs } = setUp();
  rooms.connected();
  rooms.take("sync", { rooms: { r: page("e.5", [], { more: true }) } });
  rooms.take("sync", { rooms: { r: page("e.7") }, done: true });
  await settled();
  assert.deepEqual(syncs(), []);
});

test("a gap is filled page by page, and live events meanwhile change nothing", async () => {
  const pages = [page("e.8", [message(7), message(8)], { more: true }), page("e.9", [message(9)])];
  const { rooms, room, syncs } = live({ sync: () => ({ rooms: { r: pages.shift() } }) });
  rooms.take("chat", message(8));
  rooms.take("chat", message(9));
  await settled();
  assert.deepEqual(syncs(), [{ r: "e.5" }, { r: "e.8" }]);
  assert.equal(room.log.cursor, "e.9");
  assert.deepEqual(Object.keys(room.log.messages), ["m7", "m8", "m9"]);
});

test("room_behind asks from the cursor", async () => {
  const { rooms, syncs } = live({ sync: () => ({ rooms: { r: page("e.9") } }) });
  rooms.take("room_behind", { room_id: "r", head: 9 });
  rooms.take("room_behind", { room_id: "r", head: 9 });
  await settled();
  assert.deepEqual(syncs(), [{ r: "e.5" }]);
});

test("a sync without an answer is asked again; one cut off by a disconnect is not", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const turns = async () => {
    for (let i = 0; i < 20; i += 1) await null;
  };
  const errors = [timedOut(), offline()];
  const { rooms, syncs } = live({ sync: () => errors.shift() });
  rooms.take("chat", message(9));
  await turns();
  t.mock.timers.tick(2000);
  await turns();
  t.mock.timers.tick(60_000);
  await turns();
  assert.equal(syncs().length, 2);
});

test("an event of an unknown room brings the room and its name", async () => {
  const last = message(2);
  const item = {
    room: info,
    membership: {},
    can: [],
    head: 2,
    read_seq: 0,
    unread: 1,
    mentions: 0,
    last_message: last,
  };
  const { rooms, syncs } = setUp({
    rooms: () => ({ rooms: [item] }),
    sync: () => ({ rooms: { r: page("e.2", [last]) } }),
  });
  rooms.take("join_room", {
    ...message(1),
    type: "join_room",
    content: { user_id: ME, role: "member", reason: "created" },
  });
  await settled();
  assert.deepEqual(syncs(), [{ r: null }]);
  assert.equal(rooms.get("r").info.name, "Room");
  assert.equal(rooms.get("r").unread, 1);
});

test("without a cursor the room is whole from the read mark on", () => {
  const { rooms } = setUp();
  rooms.take("sync", {
    rooms: { r: page("e.9", [message(8), message(9)], { read_seq: 7 }) },
    done: true,
  });
  assert.equal(rooms.get("r").from_seq, 8);
});

test("a reset says nothing about what is whole", () => {
  const { rooms, room } = live();
  room.from_seq = 0;
  rooms.take("sync", { rooms: { r: page("f.9", [message(9)], { state: "reset" }) } });
  assert.equal(room.from_seq, null);
});

test("a room that is denied, or that I leave, is forgotten", () => {
  for (const [name, payload] of [
    ["sync", { rooms: { r: { state: "denied" } } }],
    ["leave_room", { ...message(6), type: "leave_room", content: { user_id: ME, reason: "left" } }],
  ]) {
    const { rooms } = live();
    const removed = [];
    rooms.on("removed", (id) => removed.push(id));
    rooms.take(name, payload);
    assert.deepEqual(removed, ["r"], name);
    assert.equal(rooms.get("r"), undefined);
  }
});

test("others' messages count as unread, mine do not, deleted ones no longer", () => {
  const { rooms, room } = live();
  rooms.take("chat", message(6, { content: { text: "@ann", mentions: [ME] } }));
  rooms.take("chat", message(7, { from: ME }));
  rooms.take("chat", message(8));
  assert.deepEqual([room.unread, room.mentions], [2, 1]);
  rooms.take("chat", message(6, { rev: 9, deleted: true, content: {} }));
  assert.deepEqual([room.unread, room.mentions], [1, 0]);
});

test("reading on another device clears the count, and a mark never goes back", () => {
  const { rooms, room } = live();
  rooms.take("chat", message(6));
  rooms.take("chat", message(7));
  rooms.take("read", { room_id: "r", user_id: ME, read_seq: 6 });
  assert.equal(room.unread, 1);
  rooms.take("read", { room_id: "r", user_id: ME, read_seq: 2 });
  assert.equal(room.read_seq, 6);
});

test("what was read offline is told when the room is synced", () => {
  const { rooms, room } = live();
  rooms.take("chat", message(6));
  const told = [];
  rooms.on("unsent-read", (which) => told.push(which.read_seq));
  rooms.read(room, 6);
  rooms.connected();
  rooms.take("sync", { rooms: { r: page("e.6", [], { read_seq: 5, unread: 1 }) }, done: true });
  assert.deepEqual(told, [6]);
  assert.equal(room.unread, 0);
});

test("who writes or reads has seen", () => {
  const { rooms, room } = live();
  rooms.take("chat", message(6));
  rooms.take("read", { room_id: "r", user_id: "carol", read_seq: 6 });
  assert.deepEqual(room.seen, { bob: 6, carol: 6 });
});

test("my message is told wherever it shows up, so that the outbox can let go", () => {
  const { rooms, room } = live();
  const mine = [];
  rooms.on("mine", (own) => mine.push(own.client_id));
  rooms.take("chat", message(6, { from: ME, client_id: "live" }));
  rooms.older(
    room,
    { messages: [message(3, { from: ME, client_id: "history" })], more: false, head: 6 },
    undefined,
  );
  rooms.take("sync", { rooms: { r: page("e.7", [message(7, { from: ME, client_id: "sync" })]) } });
  assert.deepEqual(mine, ["live", "history", "sync"]);
});
