/** Who is in a room: what rows do to the lists, and what may be done about whom. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyToInfo, leavesMe, standingAfter } from "../parley/membership.js";
import {
  applyToPeople,
  countPeople,
  hasMore,
  heirOf,
  listed,
  memberIds,
  takePeople,
} from "../parley/people.js";
import { newRecord } from "../parley/record.js";
import { actionsOn, toolsOn, waysIn } from "../parley/rights.js";

const AT = "2026-05-20T12:00:00.000Z";

const person = (user, more = {}) => ({
  user_id: user,
  role: "member",
  state: "member",
  joined_at: AT,
  ...more,
});

const row = (type, content, more = {}) => ({ type, content, from: "ann", timestamp: AT, ...more });
const update = (member, more) => row("room_update", { member }, more);

/** A room of ann (owner), bob (admin) and carl. */
function setUp() {
  const room = { ...newRecord("r"), info: { id: "r", type: "public", member_count: 3, rev: 1 } };
  const members = [
    person("ann", { role: "owner" }),
    person("bob", { role: "admin" }),
    person("carl"),
  ];
  takePeople(room, "member", { members });
  for (const state of ["pending", "invited", "banned"]) takePeople(room, state, { members: [] });
  return room;
}

const ids = (room, state) => listed(room, state).map((one) => one.user_id);

test("a list is what its pages say, by rank and name", () => {
  const room = newRecord("r");
  assert.equal(listed(room), undefined);
  takePeople(room, "member", { members: [person("ann"), person("bob")], next: "b" });
  assert.equal(hasMore(room), true);
  takePeople(room, "member", { members: [person("zoe", { role: "owner" })] }, "b");
  assert.deepEqual([ids(room), hasMore(room)], [["zoe", "ann", "bob"], false]);
  takePeople(room, "member", { members: [person("eve")] });
  assert.deepEqual(memberIds(room), ["eve"]);
});

test("each row moves its user from list to list", () => {
  const room = setUp();
  const where = (user) =>
    ["member", "pending", "invited", "banned"].filter((state) => ids(room, state).includes(user));
  for (const [event, state] of [
    [update({ user_id: "dee", state: "pending" }), "pending"],
    [row("leave_room", { user_id: "dee", reason: "kicked", was: "pending" }), undefined],
    [update({ user_id: "dee", state: "invited" }), "invited"],
    [row("join_room", { user_id: "dee", role: "member", reason: "invited" }), "member"],
    [row("leave_room", { user_id: "dee", reason: "banned", by: "ann" }), "banned"],
    [update({ user_id: "dee" }), undefined],
  ]) {
    for (const _ of [1, 2]) applyToPeople(room, event); // safe to repeat
    assert.deepEqual(where("dee"), state ? [state] : [], JSON.stringify(event.content));
  }
});

test("a mute ends when its time does, counted from the row", () => {
  const room = setUp();
  applyToPeople(room, update({ user_id: "carl", muted_for_ms: 3_600_000 }));
  assert.equal(room.people.member.users.carl.muted_until, "2026-05-20T13:00:00.000Z");
  applyToPeople(room, update({ user_id: "carl", muted_for_ms: 0 }));
  assert.equal(room.people.member.users.carl.muted_until, undefined);
});

test("who hands the room over is an admin, who inherits it is its owner", () => {
  const room = setUp();
  applyToPeople(room, update({ user_id: "carl", role: "owner" }));
  const roles = () => listed(room).map(({ user_id: user, role }) => `${user} ${role}`);
  assert.deepEqual(roles(), ["carl owner", "ann admin", "bob admin"]);
  const gone = { user_id: "carl", reason: "left", owner: "bob" };
  applyToPeople(room, row("leave_room", gone, { from: "carl" }));
  assert.deepEqual(roles(), ["bob owner", "ann admin"]);
  applyToInfo(room, row("leave_room", gone), "ann");
  assert.equal(room.info.owner, "bob");
});

test("members are counted by what they were", () => {
  const room = setUp();
  const count = (event) => {
    countPeople(room, event);
    applyToPeople(room, event);
    return room.info.member_count;
  };
  assert.equal(count(row("join_room", { user_id: "dee", role: "member", reason: "joined" })), 4);
  assert.equal(count(row("leave_room", { user_id: "dee", reason: "kicked" })), 3);
  assert.equal(count(row("leave_room", { user_id: "mallory", reason: "banned" })), 3);
  room.people = {};
  assert.equal(count(row("leave_room", { user_id: "x", reason: "left", was: "invited" })), 3);
  assert.equal(count(row("leave_room", { user_id: "carl", reason: "left" })), 2);
});

test("only a row that ends what she had takes the room from her", () => {
  const leave = (content) => leavesMe(row("leave_room", { user_id: "ann", ...content }), "ann");
  assert.equal(leave({ reason: "left" }), true);
  assert.equal(leave({ reason: "kicked" }), true);
  assert.equal(leave({ reason: "kicked", was: "pending" }), false);
  assert.equal(leave({ reason: "banned", was: "pending" }), true);
  assert.equal(leavesMe(row("leave_room", { user_id: "bob", reason: "left" }), "ann"), false);
  assert.equal(standingAfter(row("chat", { text: "x" })), null);
});

test("the server is asked again where a row may change what she may do", () => {
  const asks = (event, me = "bob") => applyToInfo(setUp(), event, me);
  assert.equal(asks(update({ user_id: "carl", role: "admin" })), false);
  assert.equal(asks(update({ user_id: "bob", muted_for_ms: 1 })), true);
  assert.equal(asks(update({ user_id: "carl", role: "owner" }), "ann"), true);
  assert.equal(asks(row("room_update", { changed: { settings: { mute_all: true } } })), true);
  assert.equal(asks(row("leave_room", { user_id: "ann", reason: "left", owner: "bob" })), true);
});

test("the heir is named if there is no doubt", () => {
  const room = setUp();
  assert.equal(heirOf(room, "ann"), "bob");
  room.people.member.users.carl.role = "admin";
  assert.equal(heirOf(room, "ann"), undefined); // in the same moment
  room.people.member.users.carl.joined_at = "2026-05-19T12:00:00.000Z";
  assert.equal(heirOf(room, "ann"), "carl");
  room.people.member.next = "more";
  assert.equal(heirOf(room, "ann"), undefined);
  takePeople(room, "member", { members: [person("ann")] });
  assert.equal(heirOf(room, "ann"), null);
});

const STAFF = ["chat", "kick", "ban", "unban", "mute", "approve", "delete_message", "react"];

test("nobody acts on who stands as high as she does", () => {
  const room = setUp();
  const acts = (role, can, target) =>
    actionsOn({ ...room, can, membership: { role } }, target, "me");
  const all = [...STAFF, "set_role"];
  assert.deepEqual(acts("owner", all, person("carl")), [
    "make_admin",
    "hand_over",
    "mute",
    "kick",
    "ban",
  ]);
  assert.deepEqual(acts("admin", STAFF, person("bob", { role: "admin" })), []);
  assert.deepEqual(acts("admin", STAFF, person("carl")), ["mute", "kick", "ban"]);
  assert.deepEqual(acts("member", ["chat"], person("carl")), []);
  assert.deepEqual(acts("owner", all, person("me")), []);
  const muted = person("carl", { muted_until: "2999-01-01T00:00:00.000Z" });
  assert.equal(acts("admin", STAFF, muted).includes("unmute"), true);
});

test("who waits or is banned has few things done about her", () => {
  const room = { ...setUp(), can: STAFF, membership: { role: "admin" } };
  const acts = (state) => actionsOn(room, person("x", { state }), "me");
  assert.deepEqual(acts("pending"), ["approve", "refuse", "ban"]);
  assert.deepEqual(acts("invited"), ["withdraw"]);
  assert.deepEqual(acts("banned"), ["unban"]);
});

test("messages of others are deleted by rank, and of those who left", () => {
  const tools = (me, role, from) => {
    const can = ["chat", "react", "edit_message", "delete_message"];
    return toolsOn({ ...setUp(), can, membership: { role } }, { from }, me);
  };
  assert.deepEqual(tools("carl", "member", "carl"), ["react", "reply", "edit", "delete"]);
  assert.deepEqual(tools("carl", "member", "bob"), ["react", "reply"]);
  assert.deepEqual(tools("bob", "admin", "carl"), ["react", "reply", "delete"]);
  assert.deepEqual(tools("bob", "admin", "ann"), ["react", "reply"]);
  assert.deepEqual(tools("bob", "admin", "who left"), ["react", "reply", "delete"]);
  assert.deepEqual(toolsOn({ ...setUp(), can: ["delete_message"] }, { from: "x" }, "x"), [
    "delete",
  ]);
});

test("the ways in are those the server offers", () => {
  const view = (can, state, settings = {}) =>
    waysIn({ room: { settings }, membership: state && { state }, can });
  const visitor = ["join_room", "watch", "room", "history"];
  assert.deepEqual(view(visitor), ["join", "watch"]);
  assert.deepEqual(view(visitor, null, { require_approval: true }), ["ask", "watch"]);
  assert.deepEqual(view(["join_room", "leave_room", "room"], "invited"), ["accept", "decline"]);
  assert.deepEqual(view(["leave_room", "watch"], "pending"), ["take_back", "watch"]);
  assert.deepEqual(view([], "member"), ["open"]);
  assert.deepEqual(view([]), []);
});
