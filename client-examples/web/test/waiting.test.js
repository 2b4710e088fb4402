/** What waits for an answer, and why somebody is out of a room. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { RequestError } from "../parley/errors.js";
import { Partings } from "../parley/partings.js";
import { newRecord } from "../parley/record.js";
import { requestsIn, Waiting } from "../parley/waiting.js";

const ME = "ann";

const view = (id, state, more = {}) => ({
  room: { id, name: id, type: "private" },
  membership: { user_id: ME, role: "member", state },
  can: ["leave_room"],
  ...more,
});

const leave = (id, content, from = "bob") => ({
  type: "leave_room",
  room_id: id,
  from,
  content: { user_id: ME, ...content },
});

function setUp(...views) {
  const waiting = new Waiting({ me: ME });
  waiting.replace(views);
  const ended = [];
  waiting.on("ended", (end) => ended.push([end.room.id, end.was, end.reason, end.by]));
  return { waiting, ended, ids: () => waiting.all().map(({ room }) => room.id) };
}

test("invitations come before requests", () => {
  const { ids } = setUp(view("c", "pending"), view("b", "invited"), view("a", "invited"));
  assert.deepEqual(ids(), ["a", "b", "c"]);
});

test("an invitation shows at once, and what can be done about it when the room is looked at", () => {
  const { waiting } = setUp();
  waiting.invited({ room_id: "r", by: "bob", room: { id: "r", name: "Tea", type: "private" } });
  assert.deepEqual([waiting.get("r").by, waiting.get("r").can], ["bob", []]);
  waiting.take(view("r", "invited", { can: ["join_room"] }));
  assert.deepEqual([waiting.get("r").by, waiting.get("r").can], ["bob", ["join_room"]]);
  waiting.replace([view("r", "invited")]);
  assert.equal(waiting.get("r").by, "bob");
});

test("a view without a wait ends it", () => {
  for (const state of ["member", "banned", undefined]) {
    const { waiting, ids } = setUp(view("r", "pending"));
    waiting.take({ ...view("r", state), ...(state ? {} : { membership: undefined }) });
    assert.deepEqual(ids(), []);
  }
});

test("what somebody else ends is told, what she ends elsewhere is not", () => {
  const { waiting, ended, ids } = setUp(
    view("a", "pending"),
    view("b", "invited"),
    view("c", "pending"),
  );
  waiting.row(leave("a", { reason: "kicked", was: "pending", by: "bob" }));
  waiting.row(leave("b", { reason: "left", was: "invited" }, ME));
  waiting.row(leave("c", { reason: "banned", was: "pending", by: "bob" }));
  waiting.row(leave("unknown", { reason: "kicked", was: "pending", by: "bob" }));
  waiting.row({ type: "room_update", room_id: "a", content: { member: { user_id: ME } } });
  assert.deepEqual(ids(), []);
  assert.deepEqual(ended, [
    ["a", "pending", "kicked", "bob"],
    ["c", "pending", "banned", "bob"],
  ]);
});

test("requests are those of rooms where she decides", () => {
  const room = (id, can) => ({
    ...newRecord(id),
    can,
    people: { pending: { users: { zoe: { user_id: "zoe", state: "pending" } } } },
  });
  const rooms = [room("mine", ["approve"]), room("theirs", ["chat"]), newRecord("new")];
  assert.deepEqual(
    requestsIn(rooms).map(({ room: { id }, person }) => [id, person.user_id]),
    [["mine", "zoe"]],
  );
});

test("a room that is gone has its reason asked for, unless it was her doing", async () => {
  const answer = (code) => async () => {
    if (code) throw new RequestError({ code, message: "" });
    return {};
  };
  const reason = async (code, record = {}) => {
    const partings = new Partings({ request: answer(code) });
    await partings.gone({ ...newRecord("r"), info: { name: "Tea" }, ...record });
    return partings.get("r").reason;
  };
  assert.equal(await reason("gone"), "deleted");
  assert.equal(await reason("forbidden"), "banned");
  assert.equal(await reason("not_found"), "away");
  assert.equal(await reason(null), "away");
  assert.equal(await reason("not_found", { watching: true }), "closed");

  const partings = new Partings({ request: answer("gone") });
  await partings.own("r", async () => partings.gone(newRecord("r")));
  assert.deepEqual(partings.all(), []);
  await assert.rejects(partings.own("r", answer("forbidden")));
  await partings.gone({ ...newRecord("r"), info: {} });
  assert.equal(partings.get("r").reason, "deleted");
});

test("what was waited for is told by what it was", () => {
  const partings = new Partings({ request: async () => ({}) });
  const room = { id: "r", name: "Tea" };
  const reason = (was, how) => {
    partings.ended({ room, was, reason: how, by: "bob" });
    return partings.get("r").reason;
  };
  assert.equal(reason("pending", "kicked"), "refused");
  assert.equal(reason("invited", "kicked"), "withdrawn");
  assert.equal(reason("pending", "banned"), "banned");
  partings.dismiss("r");
  assert.deepEqual(partings.all(), []);
});
