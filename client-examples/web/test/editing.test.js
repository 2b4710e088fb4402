/** Editing a room beside others, and asking until there is an answer. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, differences, formOf, rebased } from "../parley/changes.js";
import { offline, RequestError, timedOut } from "../parley/errors.js";
import { Finder } from "../parley/finder.js";
import { insist } from "../parley/insist.js";

const base = formOf({
  name: "Tea",
  settings: { mute_all: false, allowed_types: ["text", "image"], max_members: 10 },
});

test("only what is different is changed", () => {
  assert.equal(changesOf(base, { ...base, allowed_types: ["image", "text"] }), null);
  assert.deepEqual(changesOf(base, { ...base, name: "Coffee", mute_all: true }), {
    name: "Coffee",
    settings: { mute_all: true },
  });
  assert.deepEqual(changesOf({ ...base, description: "x" }, base), { description: "" });
});

test("what others changed is told, and whether it is in the way", () => {
  const theirs = { ...base, name: "Coffee", mute_all: true, max_members: 20 };
  const mine = { ...base, name: "Cake", max_members: 20 };
  assert.deepEqual(
    differences(base, theirs, mine).map(({ field, touched }) => [field, touched]),
    [
      ["name", true],
      ["mute_all", false],
    ],
  );
  const next = rebased(base, theirs, mine);
  assert.deepEqual([next.name, next.mute_all, next.max_members], ["Cake", true, 20]);
  assert.deepEqual(changesOf(theirs, next), { name: "Cake" });
});

test("a lost answer is asked for again under the same client_id, a refusal is not", async () => {
  const asked = [];
  const plan = [timedOut(), timedOut(), null];
  const request = async (event, payload) => {
    asked.push(payload.client_id);
    const error = plan.shift();
    if (error) throw error;
    return "done";
  };
  assert.equal(await insist(request, "kick", { user_id: "x" }), "done");
  assert.deepEqual([asked.length, new Set(asked).size], [3, 1]);
  for (const error of [offline(), new RequestError({ code: "forbidden", message: "no" })]) {
    plan.push(error, null);
    await assert.rejects(insist(request, "kick", {}), { code: error.code });
    plan.length = 0;
  }
});

test("the newest question wins, pages are put together, an error is tried again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const waiting = [];
  const request = (event, payload) =>
    new Promise((resolve, reject) => waiting.push({ payload, resolve, reject }));
  const turn = async () => {
    for (let i = 0; i < 5; i += 1) await null;
  };
  const finder = new Finder({ request });
  const ids = () => finder.found.map(({ room }) => room.id);
  const page = (...found) => ({ rooms: found.map((id) => ({ room: { id } })) });

  finder.seek("t");
  t.mock.timers.tick(100);
  finder.seek("te");
  t.mock.timers.tick(250);
  finder.seek("tea");
  t.mock.timers.tick(250);
  assert.deepEqual(
    waiting.map(({ payload }) => payload),
    [{ q: "te" }, { q: "tea" }],
  );
  waiting[1].resolve({ ...page("new"), next: "2" });
  waiting[0].resolve(page("old"));
  await turn();
  assert.deepEqual([ids(), finder.busy], [["new"], false]);

  finder.more();
  assert.deepEqual(waiting[2].payload, { q: "tea", cursor: "2" });
  waiting[2].reject(timedOut());
  await turn();
  assert.deepEqual([finder.error.code, ids()], ["timeout", ["new"]]);
  finder.more();
  waiting[3].resolve(page("again"));
  await turn();
  assert.deepEqual([finder.error, ids(), finder.next], [null, ["again"], undefined]);
});
