/** Presence: what is followed, what is believed, and what this device says of itself. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { timedOut } from "../parley/errors.js";
import { MemoryStorage } from "../parley/outbox.js";
import { OwnStatus } from "../parley/own-status.js";
import { Presence } from "../parley/presence.js";
import { ago } from "../ui/format.js";
import { presenceWords } from "../ui/presence-words.js";
import { Line, settled } from "./line.js";

const ME = "ann";

const here = (user, version, status = "online") => ({ user_id: user, status, devices: [], version });
const event = (content) => ({ type: "status", content });

/** A client that is connected; everybody is online at version 5. */
function setUp(answers = {}) {
  const line = new Line({
    subscribe: ({ user_ids: users }) => ({ users: users.map((user) => here(user, 5)) }),
    room: () => ({ room_id: "r", online: 2, users: [here("bob", 5), here("eve", 5)] }),
    set_status: ({ status }) => here(ME, 5, status),
    ...answers,
  });
  const presence = new Presence({ me: ME, connection: line });
  line.up();
  return { line, presence };
}

const statusOf = (presence, user) => presence.of(user)?.status;

test("only what is new is asked for, and what is not wanted any more is dropped", async () => {
  const { line, presence } = setUp();
  presence.follow({ users: ["bob", "eve"], rooms: [] });
  presence.follow({ users: ["bob", "eve"], rooms: [] });
  presence.follow({ users: ["eve", "dan"], rooms: ["r"] });
  await settled();
  assert.deepEqual(line.of("subscribe"), [{ user_ids: ["bob", "eve"] }, { user_ids: ["dan"] }]);
  assert.deepEqual(line.of("unsubscribe"), [{ user_ids: ["bob"] }]);
  assert.equal(statusOf(presence, "bob"), undefined);
  assert.equal(statusOf(presence, "eve"), "online");
  assert.equal(presence.in("r").online, 2);
});

test("many users are asked for 200 at a time, and 1,000 at most", async () => {
  const { line, presence } = setUp();
  presence.follow({ users: Array.from({ length: 1100 }, (_, i) => `u${i}`), rooms: [] });
  await settled();
  assert.deepEqual(
    line.of("subscribe").map(({ user_ids: users }) => users.length),
    [200, 200, 200, 200, 200],
  );
});

test("what is older than what is known is dropped, whether event or answer", async () => {
  let answer;
  const { line, presence } = setUp({ subscribe: () => new Promise((done) => (answer = done)) });
  presence.follow({ users: ["bob"], rooms: [] });
  line.says("user_offline", event(here("bob", 9, "offline")));
  answer({ users: [here("bob", 8)] });
  await settled();
  assert.equal(statusOf(presence, "bob"), "offline");
  line.says("user_online", event(here("bob", 8)));
  assert.equal(statusOf(presence, "bob"), "offline");
  line.says("status", event(here("bob", 10, "away")));
  assert.equal(statusOf(presence, "bob"), "away");
});

test("nobody is believed who is not followed, but this user herself", () => {
  const { line, presence } = setUp();
  line.says("status", event(here("bob", 9)));
  line.says("status", event(here(ME, 9, "busy")));
  assert.equal(presence.of("bob"), undefined);
  assert.equal(presence.own.status, "busy");
});

test("a lost connection forgets all, and the next one follows all", async () => {
  const { line, presence } = setUp();
  presence.follow({ users: ["bob"], rooms: ["r"] });
  await settled();
  line.says("user_offline", event(here("bob", 900, "offline")));
  line.down();
  assert.equal(presence.of("bob"), undefined);
  assert.equal(presence.in("r"), undefined);
  line.up();
  await settled();
  // Another node may count from anew: what was known is no measure.
  assert.equal(statusOf(presence, "bob"), "online");
  assert.equal(line.of("subscribe").length, 2);
  assert.equal(line.of("room").length, 2);
});

test("what had no answer is asked for again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const turns = async () => {
    for (let i = 0; i < 20; i += 1) await null;
  };
  const answers = [timedOut(), { users: [here("bob", 5)] }];
  const { line, presence } = setUp({ subscribe: () => answers.shift() });
  presence.follow({ users: ["bob"], rooms: [] });
  await turns();
  assert.equal(presence.of("bob"), undefined);
  t.mock.timers.tick(2000);
  await turns();
  assert.equal(statusOf(presence, "bob"), "online");
  assert.equal(line.of("subscribe").length, 2);
});

test("a room's list changes by user, and is replaced as a whole", async () => {
  const { line, presence } = setUp();
  presence.follow({ users: [], rooms: ["r"] });
  await settled();
  const is = (user) => presence.in("r").of(user)?.status;
  line.says("room", { room_id: "r", online: 1, users: [here("bob", 7, "offline")] });
  assert.deepEqual([is("bob"), is("eve"), presence.in("r").online], [undefined, "online", 1]);
  line.says("room", { room_id: "r", online: 2, users: [here("bob", 6)] });
  assert.equal(is("bob"), undefined);
  line.says("room", { room_id: "r", online: 1, users: [here("dan", 1)], whole: true });
  assert.deepEqual([is("bob"), is("eve"), is("dan")], [undefined, undefined, "online"]);
  line.says("room", { room_id: "r", online: 300 });
  assert.deepEqual([is("dan"), presence.in("r").online], [undefined, 300]);
  line.says("room", { room_id: "r", ended: true });
  assert.equal(presence.in("r"), undefined);
});

test("a room that is entered again is followed again", async () => {
  const { line, presence } = setUp();
  presence.follow({ users: [], rooms: ["r"] });
  await settled();
  line.says("room", { room_id: "r", ended: true });
  presence.follow({ users: [], rooms: ["r"] });
  await settled();
  assert.equal(line.of("room").length, 2);
});

/** A device, perhaps with the storage of another one. */
function device(storage = new MemoryStorage(), answers = {}) {
  const { line, presence } = setUp(answers);
  line.down();
  const own = new OwnStatus({ me: ME, connection: line, presence, storage });
  line.up();
  const said = () => line.of("set_status");
  return { line, presence, own, storage, said };
}

test("every connect says how the device is", async () => {
  const { line, own, said } = device();
  own.idle(true);
  line.down();
  own.idle(false);
  line.up();
  await settled();
  assert.deepEqual(said(), [{ status: "online" }, { status: "away" }, { status: "online" }]);
});

test("idleness makes away of online, and of nothing else", async () => {
  const { own, said } = device();
  await own.choose("busy");
  own.idle(true);
  assert.equal(own.status, "busy");
  await own.choose("online");
  assert.equal(own.status, "away");
  own.idle(false);
  assert.equal(own.status, "online");
  assert.equal(said().at(-1).status, "online");
});

test("a choice holds for the other tabs, and is none where the server did not take it", async () => {
  const storage = new MemoryStorage();
  const [one, two] = [device(storage), device(storage)];
  await one.own.choose("busy");
  two.own.touched("parley:status:ann");
  assert.deepEqual(two.said().at(-1), { status: "busy" });
  one.line.down();
  await assert.rejects(one.own.choose("away"), { code: "offline" });
  assert.equal(one.own.choice, "busy");
});

test("invisible is of the user, and any other choice ends it", async () => {
  const { own, said } = device();
  await own.choose("busy");
  await own.choose("invisible");
  assert.deepEqual(said().at(-1), { status: "busy", invisible: true });
  assert.equal(own.choice, "busy");
  await own.choose("online");
  assert.deepEqual(said().at(-1), { status: "online", invisible: false });
});

test("presence in words", () => {
  const now = new Date(2026, 4, 20, 12, 0).getTime();
  const minutes = (number) => now - number * 60_000;
  const off = (last_seen) => presenceWords({ status: "offline", last_seen }, now);
  assert.equal(presenceWords(undefined), null);
  assert.equal(presenceWords({ status: "away" }), "Away");
  assert.equal(presenceWords({ status: "offline" }), "Offline");
  assert.equal(off(minutes(0)), "Last seen just now");
  assert.equal(off(minutes(5)), "Last seen 5 minutes ago");
  assert.equal(ago(minutes(1), now), "1 minute ago");
  assert.equal(ago(minutes(61), now), "1 hour ago");
  assert.equal(ago(minutes(14 * 60), now), "yesterday");
  assert.match(ago(minutes(40 * 24 * 60), now), /^on .*10/);
  // Clocks differ: what is to come has just been.
  assert.equal(ago(minutes(-3), now), "just now");
});
