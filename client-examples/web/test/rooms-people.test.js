/** Rooms and the people in them: rows about members, about this user, and rooms she looks into. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { listed, takePeople } from "../parley/people.js";
import { info, live, ME, message, page, person, setUp, settled } from "./world.js";

test("joins and leaves change the members, their number and the owner", () => {
  const { rooms, room } = live();
  room.info = info;
  takePeople(room, "member", { members: [person("ann"), person("bob", "owner")] });
  rooms.take("join_room", {
    ...message(6),
    type: "join_room",
    content: { user_id: "dave", role: "member", reason: "joined" },
  });
  rooms.take("leave_room", {
    ...message(7),
    type: "leave_room",
    content: { user_id: "bob", reason: "left", owner: ME },
  });
  assert.deepEqual(
    listed(room).map(({ user_id: user, role }) => [user, role]),
    [
      ["ann", "owner"],
      ["dave", "member"],
    ],
  );
  assert.deepEqual([room.info.member_count, room.info.owner], [2, ME]);
});

test("a room's own changes are taken once, and what the user may do is asked for", async () => {
  const view = { room: { ...info, name: "Tea", rev: 6 }, membership: person("ann"), can: ["chat"] };
  const { rooms, room, asked } = live({ room: () => view });
  room.info = { ...info, rev: 5 };
  const row = (seq, changed) => ({ ...message(seq), type: "room_update", content: { changed } });
  rooms.take("room_update", row(6, { name: "Tea", settings: { mute_all: true } }));
  assert.deepEqual([room.info.name, room.info.settings.mute_all], ["Tea", true]);
  await settled();
  assert.deepEqual(asked.at(-1), ["room", { room_id: "r" }]);
  assert.deepEqual(room.can, ["chat"]);
  rooms.take("room_update", row(7, { description: "" }));
  assert.equal("description" in room.info, false);
});

test("a row from before the description that is known does not undo it", () => {
  const { rooms, room } = live();
  room.info = { ...info, name: "Newest", rev: 9 };
  const content = { changed: { name: "Older" } };
  rooms.take("sync", {
    rooms: { r: page("e.6", [{ ...message(6), type: "room_update", content }]) },
  });
  assert.equal(room.info.name, "Newest");
});

test("rows about this user in a room that is not hers open nothing, others do", async () => {
  const { rooms, asked } = setUp({ sync: () => ({ rooms: { x: page("e.3") } }) });
  const strays = [];
  rooms.on("stray", (row) => strays.push(row.content.reason ?? row.content.member.state));
  const row = (type, content) => rooms.take(type, { ...message(3), room_id: "x", type, content });
  row("leave_room", { user_id: ME, reason: "kicked", was: "pending" });
  row("leave_room", { user_id: ME, reason: "left" });
  row("room_update", { member: { user_id: ME, state: "invited" } });
  row("room_update", { member: { user_id: ME } });
  assert.deepEqual(strays, ["kicked", "left", "invited", undefined]);
  assert.deepEqual([rooms.get("x"), asked], [undefined, []]);
  row("join_room", { user_id: ME, role: "member", reason: "approved" });
  assert.ok(rooms.get("x"));
  await settled();
});

test("who is kicked or banned is sent away, who left elsewhere just is not there", () => {
  for (const [reason, told] of [
    ["kicked", ["kicked"]],
    ["banned", ["banned"]],
    ["left", []],
  ]) {
    const { rooms } = live();
    const away = [];
    rooms.on("sent-away", (room, row) => away.push(row.content.reason));
    const content = { user_id: ME, reason, by: "bob" };
    rooms.take("leave_room", { ...message(6), type: "leave_room", content });
    assert.equal(rooms.get("r"), undefined, reason);
    assert.deepEqual(away, told);
  }
});

test("a watched room is caught up by watch, has no cursor at CONNECT and counts nothing", async () => {
  const replies = [page("e.7", [message(7)])];
  const view = { room: info, can: ["join_room", "watch"] };
  const { rooms, asked } = setUp({ watch: () => ({ ...view, sync: replies.shift() }) });
  const room = rooms.entered({ ...view, sync: page("e.5") }, { watching: true });
  rooms.take("chat", message(6));
  assert.equal(room.unread, 0);
  assert.equal(rooms.since(), undefined);
  rooms.connected();
  rooms.take("sync", { rooms: {}, done: true });
  await settled();
  assert.deepEqual(asked.at(-1), ["watch", { room_id: "r", since: "e.6" }]);
  assert.deepEqual([room.log.syncing, room.log.cursor], [false, "e.7"]);
  // She asked to join, and was refused: she goes on watching.
  const content = { user_id: ME, reason: "kicked", was: "pending", by: "bob" };
  rooms.take("leave_room", { ...message(8), type: "leave_room", content });
  assert.equal(rooms.get("r"), room);
});

test("all pages of rooms are asked for; what waits is on the first", async () => {
  const item = (id) => ({ room: { ...info, id }, membership: person("ann"), can: [] });
  const pages = [
    { rooms: [item("a")], waiting: [{ room: { ...info, id: "w" } }], next: "2" },
    { rooms: [item("b")] },
  ];
  const { rooms, asked } = setUp({ rooms: () => pages.shift() });
  const waiting = [];
  rooms.on("waiting", (views) => waiting.push(views.map((view) => view.room.id)));
  rooms.connected();
  await settled();
  assert.deepEqual(
    asked.filter(([event]) => event === "rooms").map(([, payload]) => payload),
    [{}, { cursor: "2" }],
  );
  assert.deepEqual([rooms.all().map((room) => room.id), waiting], [["a", "b"], [["w"]]]);
});

test("the other one of a direct room is named by the last message where no members are", () => {
  const { rooms } = setUp();
  const direct = { ...info, id: "d", type: "direct", members: undefined };
  const last = message(1, { type: "private", from: ME, to: "bob" });
  rooms.entered({ room: direct, membership: person("ann"), can: [], last_message: last });
  assert.equal(rooms.direct("bob").id, "d");
  rooms.entered({ room: direct, membership: person("ann"), can: [] });
  assert.equal(rooms.direct("bob").peer, "bob");
});
