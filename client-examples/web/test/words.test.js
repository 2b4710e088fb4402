/** What the page says: control rows, locks, partings, times; and what it finds in texts. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ranges, searched } from "../parley/search.js";
import { begun, candidates, completed } from "../ui/completion.js";
import { duration, until } from "../ui/format.js";
import { lockOf } from "../ui/lock.js";
import { noticeText } from "../ui/notices.js";
import { partingWords } from "../ui/parting-words.js";
import { cut } from "../ui/text.js";

const say = (type, content, { from = "ann", me = "me" } = {}) =>
  noticeText({ type, content, from }, me);
const update = (member, how) => say("room_update", { member }, how);
const change = (changed) => say("room_update", { changed });

test("who came, and how", () => {
  const join = (content, how) =>
    say("join_room", { user_id: "bob", role: "member", ...content }, how);
  assert.equal(join({ reason: "joined" }, { from: "bob" }), "bob joined");
  assert.equal(join({ reason: "joined" }, { from: "bob", me: "bob" }), "You joined");
  assert.equal(join({ reason: "created" }, { from: "bob" }), "bob created the room");
  assert.equal(join({ reason: "created", by: "ann" }), "ann added bob");
  assert.equal(join({ reason: "approved", by: "ann" }, { me: "bob" }), "ann let you in");
  assert.equal(join({ reason: "invited" }, { from: "bob" }), "bob accepted the invitation");
  assert.equal(join({ reason: "invited", by: "ann" }), "ann added bob");
});

test("who went, and by whom", () => {
  const leave = (content, how) => say("leave_room", { user_id: "bob", ...content }, how);
  const by = { by: "ann" };
  assert.equal(leave({ reason: "left" }, { from: "bob" }), "bob left");
  assert.equal(
    leave({ reason: "left", owner: "me" }, { from: "bob" }),
    "bob left; you are the owner now",
  );
  assert.equal(leave({ reason: "kicked", ...by }, { me: "ann" }), "You removed bob");
  assert.equal(leave({ reason: "banned", ...by }, { me: "bob" }), "ann banned you");
  const waited = (reason, was) => leave({ reason, was, ...by });
  assert.equal(waited("kicked", "invited"), "ann withdrew bob’s invitation");
  assert.equal(waited("kicked", "pending"), "ann refused bob’s request");
  assert.equal(waited("banned", "pending"), "ann banned bob");
  assert.equal(
    leave({ reason: "left", was: "invited" }, { from: "bob" }),
    "bob declined the invitation",
  );
  assert.equal(
    leave({ reason: "left", was: "pending" }, { from: "bob", me: "bob" }),
    "You took your request back",
  );
});

test("what became of somebody's place", () => {
  const bob = { user_id: "bob" };
  assert.equal(update({ ...bob, role: "admin" }), "ann made bob an admin");
  assert.equal(update({ ...bob, role: "member" }, { me: "bob" }), "ann made you a member");
  assert.equal(update({ ...bob, role: "owner" }, { me: "ann" }), "You made bob the owner");
  assert.equal(update({ ...bob, muted_for_ms: 3_600_000 }), "ann muted bob for 1 hour");
  assert.equal(
    update({ ...bob, muted_for_ms: 366 * 86_400_000 }),
    "ann muted bob until further notice",
  );
  assert.equal(update({ ...bob, muted_for_ms: 0 }), "ann unmuted bob");
  assert.equal(update({ ...bob, state: "invited" }), "ann invited bob");
  assert.equal(update({ ...bob, state: "pending" }, { from: "bob" }), "bob asked to join");
  assert.equal(update(bob), "ann lifted bob’s ban");
});

test("what became of the room", () => {
  assert.equal(change({ name: "Tea" }), "ann renamed the room. It is now called “Tea”");
  assert.equal(change({ description: "" }), "ann removed the description");
  assert.equal(
    change({ name: "Tea", description: "x", settings: { mute_all: true, max_members: 5 } }),
    "ann renamed the room. It is now called “Tea”. ann changed the description, " +
      "left writing to owner and admins and set the limit to 5 members",
  );
  const setting = (settings) => change({ settings });
  assert.equal(setting({ allowed_types: ["text", "image"] }), "ann allowed only text and images");
  assert.equal(setting({ is_private: false }), "ann made the room open to everyone");
  assert.equal(setting({ require_approval: false }), "ann let newcomers join without asking");
  assert.equal(setting({ retention_days: 30 }), "ann had messages deleted after 30 days");
  assert.equal(setting({ of_a_later_version: 1 }), "ann changed the room");
});

test("durations and ends", () => {
  assert.deepEqual([600_000, 3_600_000, 86_400_000, 90_000, 366 * 86_400_000].map(duration), [
    "10 minutes",
    "1 hour",
    "1 day",
    "90 seconds",
    null,
  ]);
  const now = Date.parse("2026-05-20T12:00:00.000Z");
  assert.match(until(now + 3_600_000, now), /^until \d/u);
  assert.match(until(now + 3 * 86_400_000, now), /^until \w+ \d+, /u);
  assert.equal(until(now + 366 * 86_400_000, now), null);
});

test("one reads why one cannot write, and until when", () => {
  const now = Date.now();
  const lock = (more) =>
    lockOf({ id: "r", info: { settings: {} }, can: ["history"], membership: {}, ...more }, now)
      ?.kind;
  const settings = (more) => ({ info: { settings: more } });
  assert.equal(lock({ can: ["chat"] }), undefined);
  assert.equal(lock({ can: ["private"] }), undefined);
  assert.equal(lock({ can: null }), undefined);
  assert.equal(lock({ watching: true }), "watching");
  assert.equal(lock({ can: ["chat"], ...settings({ allowed_types: ["file"] }) }), "types");
  assert.equal(lock(settings({ mute_all: true })), "mute_all");
  assert.equal(lock({}), "closed");
  const muted = (ms) => ({ membership: { muted_until: new Date(now + ms).toISOString() } });
  assert.equal(lock(muted(60_000)), "muted");
  assert.equal(lock({ ...muted(-1), ...settings({ mute_all: true }) }), "mute_all");
  assert.equal(lockOf({ to: "bob" }), null);
  const ever = { id: "r", info: {}, can: [], ...muted(366 * 86_400_000) };
  assert.equal(lockOf(ever, now).text, "You are muted until somebody unmutes you.");
});

test("partings name who did it, where that is known", () => {
  const words = (reason, by) => partingWords({ room: { name: "Tea" }, reason, by });
  assert.equal(words("kicked", "bob"), "bob removed you from Tea.");
  assert.equal(words("banned"), "You were banned from Tea.");
  assert.equal(words("deleted"), "Tea was deleted.");
});

test("a name is being written from its @ to the cursor", () => {
  assert.deepEqual(begun("hi @bo", 6), { start: 3, wanted: "bo" });
  assert.deepEqual(begun("@", 1), { start: 0, wanted: "" });
  assert.deepEqual(begun("(@bob there", 5), { start: 1, wanted: "bob" });
  assert.equal(begun("mail bob@example", 16), null);
  assert.equal(begun("@bob there", 8), null);
});

test("names are offered by how well they fit, then by who spoke last", () => {
  const people = [
    { user_id: "carl", name: "Carl Bobson" },
    { user_id: "bobby" },
    { user_id: "bob", name: "Bob" },
    { user_id: "jbobs" },
    { user_id: "zoe", name: "Zoë" },
  ];
  const found = (wanted, recent) => candidates(people, wanted, recent).map((one) => one.user_id);
  assert.deepEqual(found("bob"), ["bob", "bobby", "carl", "jbobs"]);
  assert.deepEqual(found("BOB", ["bobby"]), ["bobby", "bob", "carl", "jbobs"]);
  assert.deepEqual(found("o"), []); // somewhere in the middle is too little for one letter
  assert.equal(found("").length, 5);
  const many = Array.from({ length: 20 }, (_, at) => ({ user_id: `u${at}` }));
  assert.equal(candidates(many, "u").length, 8);
});

test("completing leaves one space and the rest of the text", () => {
  assert.deepEqual(completed("hi @bo there", 6, 3, "bob"), { text: "hi @bob there", caret: 8 });
  assert.deepEqual(completed("hi @bo", 6, 3, "bob"), { text: "hi @bob ", caret: 8 });
});

test("search knows neither case nor accents, and marks what is there", () => {
  const found = (text, wanted) => ranges(text, wanted).map(([a, b]) => text.slice(a, b));
  assert.deepEqual(found("Café CAFE cafe\u0301", "café"), ["Café", "CAFE", "cafe\u0301"]);
  assert.deepEqual(found("ＡＢＣ aaaa", "aa"), ["aa", "aa"]);
  assert.deepEqual(found("İstanbul 👍🏽", "👍"), ["👍"]);
  assert.deepEqual(found("a.b(c", ".b("), [".b("]);
  assert.deepEqual(found("anything", "  "), []);
});

test("found messages come newest first, without deleted ones and control rows", () => {
  const message = (id, text, more = {}) => ({ id, content: { text }, ...more });
  const all = [
    message("a", "tea"),
    message("b", "coffee"),
    message("c", "tea", { deleted: true, content: {} }),
    { id: "d", type: "join_room", content: { user_id: "tea" } },
    message("e", "Tea!"),
  ];
  assert.deepEqual(
    searched(all, "tea").map((one) => one.id),
    ["e", "a"],
  );
});

test("what was found is cut out of every part it touches", () => {
  const pieces = (text, start, found) =>
    cut(text, start, found).map((one) => [one.text, one.found]);
  assert.deepEqual(pieces("hello ", 0, [[4, 9]]), [
    ["hell", false],
    ["o ", true],
  ]);
  assert.deepEqual(pieces("@bob", 6, [[4, 9]]), [
    ["@bo", true],
    ["b", false],
  ]);
  assert.deepEqual(pieces("!", 10, [[4, 9]]), [["!", false]]);
});
