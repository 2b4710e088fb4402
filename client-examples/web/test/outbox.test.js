/** The outbox keeps, the delivery sends: once in effect, in order, through every kind of failure. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Delivery } from "../parley/delivery.js";
import { offline, RequestError, timedOut } from "../parley/errors.js";
import { GIVE_UP_AFTER, MemoryStorage, Outbox } from "../parley/outbox.js";

/** A server that answers as told: each plan entry is an error to throw, or null for success. */
class Server {
  online = true;
  tries = [];
  stored = [];
  plan = [];

  async take(event, payload) {
    this.tries.push(payload.client_id);
    const error = this.plan.shift();
    await undefined;
    if (error?.stores !== false && !(error instanceof RequestError && !error.retryable))
      this.#store(payload);
    if (error) throw error;
    return { id: payload.client_id };
  }

  #store(payload) {
    if (!this.stored.some((known) => known.client_id === payload.client_id))
      this.stored.push(payload);
  }

  get texts() {
    return this.stored.map((payload) => payload.text);
  }
}

/** Time that passes only when told. */
class Clock {
  at = 1_000_000;
  now = () => this.at;
}

function setUp({
  storage = new MemoryStorage(),
  server = new Server(),
  clock = new Clock(),
  lock,
} = {}) {
  const outbox = new Outbox({ user: "ann", storage, now: clock.now });
  const delivered = [];
  const delivery = new Delivery({
    outbox,
    send: (event, payload) => server.take(event, payload),
    online: () => server.online,
    delivered: (entry, data) => delivered.push([entry.client_id, data.id]),
    lock: lock ?? ((name, task) => task()),
    now: clock.now,
  });
  return { outbox, delivery, server, clock, storage, delivered };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const lost = (stores) => Object.assign(timedOut(), { stores });

test("what is written is stored before add returns, and a reload finds it in order", () => {
  const { outbox, storage } = setUp();
  for (const text of ["a", "b", "c"]) outbox.add("r1", "chat", { text });
  const reloaded = new Outbox({ user: "ann", storage });
  assert.deepEqual(
    reloaded.entries().map((entry) => entry.payload.text),
    ["a", "b", "c"],
  );
});

test("users on one device do not see one another's outbox", () => {
  const { outbox, storage } = setUp();
  outbox.add("r1", "chat", { text: "a" });
  assert.deepEqual(new Outbox({ user: "an", storage }).entries(), []);
  assert.deepEqual(new Outbox({ user: "bob", storage }).entries(), []);
});

test("order holds when the clock is set back", () => {
  const { outbox, storage, clock } = setUp();
  outbox.add("r1", "chat", { text: "a" });
  clock.at -= 60_000;
  const reloaded = new Outbox({ user: "ann", storage, now: clock.now });
  reloaded.add("r1", "chat", { text: "b" });
  assert.deepEqual(
    outbox.entries().map((entry) => entry.payload.text),
    ["a", "b"],
  );
});

test("sent entries leave the outbox, in the order they were written", async () => {
  const { outbox, delivery, server, delivered } = setUp();
  for (const text of ["a", "b", "c"]) outbox.add("r1", "chat", { text });
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["a", "b", "c"]);
  assert.deepEqual(outbox.entries(), []);
  assert.equal(delivered.length, 3);
});

test("nothing is sent while offline", async () => {
  const { outbox, delivery, server } = setUp();
  server.online = false;
  outbox.add("r1", "chat", { text: "a" });
  delivery.kick();
  await settled();
  assert.deepEqual(server.tries, []);
  server.online = true;
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["a"]);
});

test("a lost ack is retried under the same client_id and stored once", async () => {
  const { outbox, delivery, server, clock } = setUp();
  server.plan = [lost(true)];
  outbox.add("r1", "chat", { text: "a" });
  outbox.add("r1", "chat", { text: "b" });
  delivery.kick();
  await settled();
  assert.equal(server.tries.length, 1);
  clock.at += 60_000;
  delivery.kick();
  await settled();
  assert.equal(server.tries[0], server.tries[1]);
  assert.deepEqual(server.texts, ["a", "b"]);
  delivery.close();
});

test("a later message does not overtake one that waits for its retry", async () => {
  const { outbox, delivery, server } = setUp();
  server.plan = [lost(false)];
  outbox.add("r1", "chat", { text: "a" });
  outbox.add("r1", "chat", { text: "b" });
  delivery.kick();
  await settled();
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, []);
  delivery.close();
});

test("a disconnect in flight keeps the entry and needs no waiting afterwards", async () => {
  const { outbox, delivery, server } = setUp();
  server.plan = [Object.assign(offline(), { stores: false })];
  outbox.add("r1", "chat", { text: "a" });
  server.take = new Proxy(server.take, {
    async apply(take, self, values) {
      server.online = false;
      return Reflect.apply(take, server, values);
    },
  });
  delivery.kick();
  await settled();
  assert.equal(outbox.entries().length, 1);
  delete server.take;
  server.online = true;
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["a"]);
});

test("rate_limited waits as long as the server says", async () => {
  const { outbox, delivery, server, clock } = setUp();
  const error = {
    code: "rate_limited",
    message: "slow down",
    retryable: true,
    retry_after_ms: 5000,
  };
  server.plan = [Object.assign(new RequestError(error), { stores: false })];
  outbox.add("r1", "chat", { text: "a" });
  delivery.kick();
  await settled();
  clock.at += 4999;
  delivery.kick();
  await settled();
  assert.equal(server.tries.length, 1);
  clock.at += 1;
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["a"]);
  delivery.close();
});

test("a permanent error stays on the message and holds up nobody", async () => {
  const { outbox, delivery, server } = setUp();
  server.plan = [new RequestError({ code: "rejected_content", message: "not that word" })];
  outbox.add("r1", "chat", { text: "a" });
  outbox.add("r1", "chat", { text: "b" });
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["b"]);
  const [left] = outbox.entries();
  assert.deepEqual(left.failed, { code: "rejected_content", message: "not that word" });

  outbox.retry(left.client_id);
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["b", "a"]);
  assert.equal(server.tries[0], server.tries[2]);
});

test("a client_id that means something else on the server is renewed by a retry", () => {
  const { outbox } = setUp();
  const { client_id: id } = outbox.add("r1", "chat", { text: "a" });
  outbox.update(id, { failed: { code: "client_id_reused", message: "" } });
  outbox.retry(id);
  assert.notEqual(outbox.entries()[0].client_id, id);
});

test("an entry older than the server's memory of client_ids is not sent without asking", async () => {
  const { outbox, delivery, server, clock } = setUp();
  outbox.add("r1", "chat", { text: "a" });
  clock.at += GIVE_UP_AFTER + 1;
  delivery.kick();
  await settled();
  assert.deepEqual(server.tries, []);
  assert.equal(outbox.entries()[0].failed.code, "expired");
});

test("lanes do not wait for one another", async () => {
  const { outbox, delivery, server } = setUp();
  server.plan = [lost(false)];
  outbox.add("r1", "chat", { text: "a" });
  outbox.add("r2", "chat", { text: "b" });
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["b"]);
  delivery.close();
});

test("something written while the lane empties is sent too", async () => {
  const { outbox, delivery, server } = setUp();
  outbox.add("r1", "chat", { text: "a" });
  delivery.kick();
  outbox.add("r1", "chat", { text: "b" });
  delivery.kick();
  await settled();
  assert.deepEqual(server.texts, ["a", "b"]);
});

test("of two tabs only one sends an entry", async () => {
  const locks = new Map();
  const lock = (name, task) => {
    const turn = (locks.get(name) ?? Promise.resolve()).then(task);
    locks.set(name, turn);
    return turn;
  };
  const one = setUp({ lock });
  const two = setUp({ lock, storage: one.storage, server: one.server });
  for (const text of ["a", "b", "c"]) one.outbox.add("r1", "chat", { text });
  one.delivery.kick();
  two.delivery.kick();
  await settled();
  assert.deepEqual(one.server.texts, ["a", "b", "c"]);
  assert.equal(one.server.tries.length, 3);
});

test("without locks two tabs send the same ids, so each message is stored once and in order", async () => {
  const one = setUp();
  const two = setUp({ storage: one.storage, server: one.server });
  for (const text of ["a", "b", "c"]) one.outbox.add("r1", "chat", { text });
  one.delivery.kick();
  two.delivery.kick();
  await settled();
  assert.deepEqual(one.server.texts, ["a", "b", "c"]);
});

test("an entry settled elsewhere while in flight does not come back", async () => {
  const { outbox, delivery, server } = setUp();
  server.plan = [lost(true)];
  const { client_id: id } = outbox.add("r1", "chat", { text: "a" });
  delivery.kick();
  outbox.remove(id); // its event arrived before the ack was given up
  await settled();
  assert.deepEqual(outbox.entries(), []);
  delivery.close();
});
