/** What a conversation shows: groups, days, the "new" line, and what is on its way. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { newRecord } from "../parley/record.js";
import { upsert } from "../parley/rule.js";
import { itemsOf } from "../ui/items.js";
import { mentioned, onlyEmoji, split } from "../ui/text.js";

const NOON = new Date(2026, 4, 20, 12).getTime();

const message = (seq, more = {}) => ({
  type: "chat",
  id: `m${seq}`,
  seq,
  rev: seq,
  from: "bob",
  content: { text: `text ${seq}` },
  timestamp: new Date(NOON + seq * 1000).toISOString(),
  ...more,
});

const entry = (event, payload, more = {}) => ({
  client_id: `c-${event}`,
  event,
  payload,
  created_at: NOON + 60_000,
  attempts: 0,
  failed: null,
  ...more,
});

function show(messages, { pending = [], ...more } = {}) {
  const room = {
    ...newRecord("r"),
    from_seq: 0,
    info: { type: "public", members: ["ann", "bob"] },
  };
  for (const one of messages) upsert(room.log, one);
  Object.assign(room, more.room);
  return itemsOf({
    room,
    pending,
    me: "ann",
    newAfter: more.newAfter ?? null,
    offline: Boolean(more.offline),
    marks: more.marks,
    now: NOON,
  });
}

const kinds = (items) => items.map((item) => item.kind);
const shown = (items) => items.filter((item) => item.kind === "message");

test("messages of one author follow one another without a head, up to a pause or another author", () => {
  const later = { timestamp: new Date(NOON + 10 * 60_000).toISOString() };
  const items = shown(
    show([
      message(1),
      message(2),
      message(3, { from: "ann" }),
      message(4, { from: "ann", ...later }),
    ]),
  );
  assert.deepEqual(
    items.map((item) => item.first),
    [true, false, true, true],
  );
});

test("each day has its line", () => {
  const before = { timestamp: new Date(NOON - 24 * 3600_000).toISOString() };
  const items = show([message(1, before), message(2)]);
  assert.deepEqual(kinds(items), ["beginning", "day", "message", "day", "message"]);
  assert.deepEqual(
    items.filter((item) => item.kind === "day").map((item) => item.text),
    ["Yesterday", "Today"],
  );
});

test("the new line stands before the first unread message of another", () => {
  const items = show([message(1), message(2, { from: "ann" }), message(3)], { newAfter: 1 });
  assert.deepEqual(kinds(items), ["beginning", "day", "message", "message", "new", "message"]);
});

test("there is no new line while an earlier unread message may be missing", () => {
  const room = { from_seq: 3 };
  assert.equal(kinds(show([message(3)], { newAfter: 1, room })).includes("new"), false);
  assert.equal(kinds(show([message(3)], { newAfter: 2, room })).includes("new"), true);
});

test("a message on its way is shown last, and once when its event overtakes the ack", () => {
  const pending = [entry("chat", { content: { text: "mine" } })];
  const items = shown(show([message(1)], { pending }));
  assert.deepEqual(
    items.map((item) => item.state),
    ["sent", "pending"],
  );
  const arrived = message(2, { from: "ann", client_id: "c-chat", content: { text: "mine" } });
  const after = shown(show([message(1), arrived], { pending }));
  assert.deepEqual(
    after.map((item) => item.state),
    ["sent", "sent"],
  );
  assert.equal(after[1].key, items[1].key); // the same element on the page
});

test("a message never tried can be taken back while offline", () => {
  const of = (more, offline) =>
    shown(show([], { pending: [entry("chat", { content: { text: "x" } }, more)], offline }))[0];
  assert.equal(of({}, true).recallable, true);
  assert.equal(of({}, false).recallable, false);
  assert.equal(of({ attempts: 1 }, true).recallable, false);
});

test("an edit, a delete and a reaction show before the server has them", () => {
  const [edited] = shown(
    show([message(1)], {
      pending: [entry("edit_message", { message_id: "m1", content: { text: "new" } })],
    }),
  );
  assert.deepEqual([edited.content.text, edited.state], ["new", "pending"]);
  const [deleted] = shown(
    show([message(1)], { pending: [entry("delete_message", { message_id: "m1" })] }),
  );
  assert.equal(deleted.deleted, true);
  const [liked] = shown(
    show([message(1)], { pending: [entry("react", { message_id: "m1", emoji: "👍", on: true })] }),
  );
  assert.deepEqual(liked.reactions, [{ emoji: "👍", count: 1, users: ["ann"] }]);
});

test("taking a reaction back leaves those of others", () => {
  const reactions = [{ emoji: "👍", count: 2, users: ["ann", "bob"] }];
  const off = entry("react", { message_id: "m1", emoji: "👍", on: false });
  const [item] = shown(show([message(1, { reactions })], { pending: [off] }));
  assert.deepEqual(item.reactions, [{ emoji: "👍", count: 1, users: ["bob"] }]);
});

test("a refused edit leaves the message and says why", () => {
  const failed = { code: "forbidden", message: "no" };
  const [item] = shown(
    show([message(1)], {
      pending: [entry("edit_message", { message_id: "m1", content: { text: "new" } }, { failed })],
    }),
  );
  assert.deepEqual([item.content.text, item.state, item.error], ["text 1", "failed", "no"]);
});

test("seen by stands under my message only while it is the newest", () => {
  const mine = message(2, { from: "ann" });
  assert.deepEqual(show([message(1), mine], { room: { seen: { bob: 2 } } }).at(-1), {
    kind: "seen",
    key: "seen",
    users: ["bob"],
  });
  assert.equal(kinds(show([mine], { room: { seen: { bob: 1 } } })).includes("seen"), false);
  assert.equal(
    kinds(show([mine, message(3)], { room: { seen: { bob: 3 } } })).includes("seen"),
    false,
  );
});

test("what can be done with a message is what the server allows, and drawn anew when it changes", () => {
  const tools = (can) => shown(show([message(1)], { room: { can } }))[0].tools;
  assert.deepEqual(tools(["chat", "react", "delete_message"]), ["react", "reply"]);
  assert.deepEqual(tools(["history"]), []);
  assert.deepEqual(tools(null), ["react", "reply"]); // not known yet: the server will say
});

test("a message names whom it was sent to as a mention, and members", () => {
  const content = { text: "@ann @bob @gone @nobody", mentions: ["gone"] };
  assert.deepEqual(shown(show([message(1, { content })]))[0].names, ["ann", "bob", "gone"]);
});

test("what is searched for is marked, and one of it pointed at", () => {
  const marks = { wanted: "TEXT 2", current: "m2" };
  const items = shown(show([message(1), message(2), message(3)], { marks }));
  assert.deepEqual(
    items.map(({ wanted, current }) => [wanted, current]),
    [
      [undefined, undefined],
      ["TEXT 2", true],
      [undefined, undefined],
    ],
  );
});

test("a quote of a message that is not loaded leads to it all the same", () => {
  const reply = message(2, { content: { text: "yes", reply_to: "far" } });
  const [item] = shown(show([reply]));
  assert.deepEqual(item.reply, { id: "far", from: null, text: "an earlier message" });
});

test("every key is there once", () => {
  const items = show(
    [
      message(1),
      message(2, { type: "join_room", content: { user_id: "bob", reason: "joined" } }),
      message(3),
    ],
    { newAfter: 1 },
  );
  assert.equal(new Set(items.map((item) => item.key)).size, items.length);
});

test("links end where the sentence goes on, and only http makes one", () => {
  const links = (text) =>
    split(text)
      .filter((part) => part.kind === "link")
      .map((part) => part.text);
  assert.deepEqual(links("see https://a.example/x(1), and (http://b.example)."), [
    "https://a.example/x(1)",
    "http://b.example",
  ]);
  assert.deepEqual(links("javascript:alert(1) data:text/html,x ftp://c.example https://"), []);
  assert.equal(
    split("a https://b.example <c>")
      .map((part) => part.text)
      .join(""),
    "a https://b.example <c>",
  );
});

test("only members are named, with the sentence's punctuation left out", () => {
  assert.deepEqual(mentioned("@bob. and @carol, mail x@bob @bob", ["bob", "carol"]), [
    "bob",
    "carol",
  ]);
  assert.deepEqual(mentioned("@nobody", ["bob"]), []);
});

test("a few emoji alone are drawn large, digits are not", () => {
  assert.deepEqual(["🎉", "👍🏽 ❤️", "1", "a🎉", ""].map(onlyEmoji), [
    true,
    true,
    false,
    false,
    false,
  ]);
});
