/** The inbox: gaps become syncs, counts stay right, pages leave no hole. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { timedOut } from "../parley/errors.js";
import { Inbox } from "../parley/inbox.js";
import { newInbox, trimmedInbox } from "../parley/letters.js";
import { Line, settled } from "./line.js";
import { random } from "./log.js";

const letter = (seq, more = {}) => ({
  type: "notification",
  id: `n${seq}`,
  seq,
  rev: seq,
  to: "ann",
  read: false,
  content: { title: `title ${seq}`, body: "…" },
  ...more,
});

const page = (upto, events = [], more = {}) => ({
  state: "ok",
  upto,
  events,
  more: false,
  unread: events.filter(({ read }) => !read).length,
  muted_rooms: [],
  ...more,
});

/** An inbox that is live at e.5, with nothing in it. */
function live(answers = {}) {
  const line = new Line(answers);
  const inbox = new Inbox({ connection: line });
  line.up();
  line.says("sync", page("e.5", [], { done: true }));
  const news = [];
  inbox.on("news", ({ id }) => news.push(id));
  const hears = (...args) => line.says("notification", letter(...args));
  return { line, inbox, news, hears, shown: () => inbox.all().map(({ id }) => id) };
}

test("what comes counts, and what is read or deleted does not any more", () => {
  const { inbox, hears, shown, news } = live();
  hears(6);
  hears(7);
  hears(6, { rev: 8, read: true });
  hears(7, { rev: 9, deleted: true, content: {} });
  hears(10);
  assert.equal(inbox.unread, 1);
  assert.deepEqual(shown(), ["n10", "n6"]);
  assert.deepEqual(news, ["n6", "n7", "n10"]);
  assert.deepEqual(inbox.since(), { inbox: "e.10" });
});

test("an event that was heard already changes nothing", () => {
  const { inbox, hears, news } = live();
  hears(6);
  hears(6);
  assert.equal(inbox.unread, 1);
  assert.deepEqual(news, ["n6"]);
});

test("one that says something else is shown so, and is no news", () => {
  const { inbox, line, hears, news } = live();
  hears(6);
  hears(6, { rev: 7, content: { title: "another title", body: "…" } });
  assert.equal(inbox.all()[0].content.title, "another title");
  assert.equal(inbox.unread, 1);
  hears(3, { rev: 8 }); // it is not known here
  line.down();
  line.up();
  line.says("sync", page("e.11", [letter(2, { rev: 10 }), letter(9, { rev: 11 })], { done: true }));
  assert.deepEqual(news, ["n6", "n9"]);
});

test("a gap is filled page by page", async () => {
  const pages = [page("e.7", [letter(6), letter(7)], { more: true }), page("e.9", [letter(9)])];
  const { inbox, line, hears, shown } = live({ sync: () => pages.shift() });
  hears(9);
  await settled();
  assert.deepEqual(line.of("sync"), [{ inbox: "e.5" }, { inbox: "e.7" }]);
  assert.deepEqual(shown(), ["n9", "n7", "n6"]);
  assert.equal(inbox.record.log.syncing, false);
});

test("inbox_behind asks from the cursor, once", async () => {
  const { line, shown } = live({ sync: () => page("e.6", [letter(6)]) });
  line.says("inbox_behind", { head: 6 });
  line.says("inbox_behind", { head: 6 });
  await settled();
  assert.deepEqual(line.of("sync"), [{ inbox: "e.5" }]);
  assert.deepEqual(shown(), ["n6"]);
});

test("while it catches up, what it hears is kept but moves no cursor and no count", () => {
  const { inbox, line, shown } = live();
  line.down();
  line.up();
  line.says("notification", letter(7));
  assert.deepEqual([shown(), inbox.unread, inbox.since()], [["n7"], 0, { inbox: "e.5" }]);
  line.says("sync", page("e.6", [letter(6)], { more: true, unread: 2 }));
  line.says("sync", page("e.7", [letter(7)], { unread: 2, done: true }));
  assert.deepEqual([shown(), inbox.unread, inbox.since()], [["n7", "n6"], 2, { inbox: "e.7" }]);
});

test("the first connect brings no news, the next ones do", () => {
  const line = new Line();
  const inbox = new Inbox({ connection: line });
  const news = [];
  inbox.on("news", ({ id }) => news.push(id));
  line.up();
  line.says("notification", letter(3));
  line.says("sync", page("e.5", [letter(4)], { done: true }));
  line.down();
  line.up();
  line.says("sync", page("e.7", [letter(6), letter(7, { read: true })], { done: true }));
  assert.deepEqual(news, ["n6"]);
});

test("a reset forgets everything that was known", async () => {
  const { inbox, line, hears, shown } = live({
    list: () => ({ notifications: [letter(5)], unread: 1 }),
  });
  await inbox.open();
  assert.equal(inbox.hasMore, false);
  hears(6);
  line.down();
  line.up();
  line.says("sync", page("f.2", [letter(1)], { state: "reset", done: true }));
  assert.deepEqual(shown(), ["n1"]);
  assert.deepEqual(inbox.since(), { inbox: "f.2" });
  assert.equal(inbox.hasMore, true);
  inbox.close();
});

test("a deleted one does not come back with an older word of it", async () => {
  const { inbox, hears, shown } = live({
    list: () => ({ notifications: [letter(6)], unread: 1 }),
    unread_count: () => ({ unread: 0 }),
  });
  hears(6);
  hears(6, { rev: 7, deleted: true, content: {} });
  await inbox.open();
  assert.deepEqual(shown(), []);
  inbox.close();
});

test("pages go back to the start, and only what is whole is shown", async () => {
  const pages = [
    { notifications: [letter(5), letter(4)], unread: 4, next: "p2" },
    { notifications: [letter(2)], unread: 4 },
  ];
  const { inbox, line, shown } = live({ list: () => pages.shift() });
  // One that the newest unread brought, far from the others.
  inbox.record.log.messages.n1 = letter(1);
  assert.deepEqual(shown(), ["n1"]);
  await inbox.open();
  await inbox.open();
  assert.deepEqual(shown(), ["n5", "n4"]);
  assert.equal(inbox.hasMore, true);
  await inbox.more();
  assert.deepEqual(shown(), ["n5", "n4", "n2", "n1"]);
  assert.equal(inbox.hasMore, false);
  assert.deepEqual(line.of("list"), [{ limit: 50 }, { cursor: "p2", limit: 50 }]);
  inbox.close();
});

test("what was stored is shown, and goes on where it ended", async () => {
  const record = { ...newInbox(), from_seq: 0 };
  record.log.cursor = "e.300";
  for (let seq = 1; seq <= 300; seq += 1) record.log.messages[`n${seq}`] = letter(seq);
  const stored = JSON.parse(JSON.stringify(trimmedInbox(record)));
  const pages = [
    { notifications: [letter(300), letter(250)], unread: 0, next: "p1" }, // as much as fits
    { notifications: [letter(90)], unread: 0, next: "p2" },
  ];
  const line = new Line({ list: () => pages.shift() });
  const inbox = new Inbox({ connection: line });
  inbox.load(stored);
  assert.equal(inbox.there, true);
  assert.deepEqual([inbox.all().length, inbox.hasMore], [200, true]);
  line.up();
  await inbox.open();
  assert.deepEqual(line.of("list"), []);
  await inbox.more(); // the cursor of the page was lost with what it stood before
  assert.equal(inbox.all().length, 200);
  await inbox.more();
  assert.deepEqual(line.of("list"), [{ limit: 200 }, { cursor: "p1", limit: 50 }]);
  assert.equal(inbox.all().length, 201);
  inbox.close();
});

test("what this client cannot count it asks for", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { inbox, line, hears } = live({ unread_count: () => ({ unread: 41 }) });
  hears(2, { rev: 6, read: true }); // never seen before
  t.mock.timers.tick(1000);
  for (let i = 0; i < 10; i += 1) await null;
  assert.equal(line.of("unread_count").length, 1);
  assert.equal(inbox.unread, 41);
});

test("the count equals a recount after every step", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = random(seed);
    const { inbox, hears } = live();
    const known = new Map();
    for (let rev = 6; rev < 60; rev += 1) {
      const one = [...known.values()][Math.floor(next() * known.size)];
      const fresh = !one || one.deleted || next() < 0.5;
      const seq = fresh ? rev : one.seq;
      const change = fresh ? {} : next() < 0.6 ? { read: true } : { deleted: true, content: {} };
      known.set(seq, { ...letter(seq), ...known.get(seq), ...change, rev });
      hears(seq, known.get(seq));
      const left = [...known.values()].filter(({ read, deleted }) => !read && !deleted);
      assert.equal(inbox.unread, left.length, `seed ${seed}, rev ${rev}`);
    }
  }
});

test("reading a room reads what tells of its messages, once", async () => {
  const about = (room_id, seq, reason = "mention") => ({
    content: { title: "", body: "", data: { reason, room_id, seq } },
  });
  const { inbox, line, hears } = live();
  hears(6, about("r", 10));
  hears(7, about("r", 11, "private"));
  hears(8, about("r", 12));
  hears(9, about("other", 1));
  hears(10, about("r", 1, "an application's own"));
  inbox.roomRead("r", 11);
  inbox.roomRead("r", 11);
  assert.deepEqual(line.of("read"), [{ ids: ["n6", "n7"] }]);
});

test("what failed to be read is tried again at the next look", async () => {
  const { inbox, line, hears } = live({ read: () => timedOut() });
  hears(6, { content: { data: { reason: "mention", room_id: "r", seq: 1 } } });
  inbox.roomRead("r", 1);
  await settled();
  inbox.roomRead("r", 1);
  assert.equal(line.of("read").length, 2);
});

test("all that is known is read, and nothing that is not", async () => {
  const { inbox, line, hears } = live();
  await inbox.readAll();
  hears(6);
  hears(7);
  await inbox.readAll();
  assert.deepEqual(line.of("read"), [{ up_to: 7 }]);
});

test("rooms are muted by this device and by others", async () => {
  const { inbox, line } = live();
  await inbox.mute("r", true);
  assert.equal(inbox.mutes("r"), true);
  line.says("mute", { room_id: "r", muted: false });
  line.says("mute", { room_id: "s", muted: true });
  assert.deepEqual([inbox.mutes("r"), inbox.mutes("s")], [false, true]);
});

test("what is in no inbox passes", () => {
  const { inbox, line, shown } = live();
  const passed = [];
  inbox.on("passing", ({ content }) => passed.push(content.title));
  line.says("notification", { type: "notification", content: { title: "by hand" } });
  assert.deepEqual(passed, ["by hand"]);
  assert.deepEqual([shown(), inbox.since()], [[], { inbox: "e.5" }]);
});

test("a server without an inbox has none, until there is one", () => {
  const { inbox, line } = live();
  line.emit("refused", { code: "unauthorized", message: "Invalid namespace" });
  assert.equal(inbox.there, false);
  line.up();
  assert.equal(inbox.there, true);
});
