/**
 * A chat in the terminal: prints what is said in a room, and says what you type.
 *
 * All that makes it reliable is in `../web/parley`, the same modules that the chat page uses:
 * what you type is kept until the server has it, and after a lost connection everything missed
 * comes. Here is only what a terminal adds.
 */

import { webcrypto } from "node:crypto";
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { io } from "socket.io-client";

import { Client } from "../web/parley/client.js";
import { userOfToken } from "../web/parley/ids.js";
import { MemoryStorage } from "../web/parley/outbox.js";
import { Store } from "../web/parley/store.js";
import { hasOlder, visible } from "../web/parley/timeline.js";
import { enter } from "./entering.js";
import { lineOf, mentioned } from "./lines.js";
import { signIn } from "./sign-in.js";
import { Terminal } from "./terminal.js";

const OLDER = 10; // messages shown at the start, beside the unread ones

globalThis.crypto ??= webcrypto; // Node.js 18 does not have it there yet

const { values: options } = parseArgs({
  options: {
    room: { type: "string", default: "Tea" }, // joined, or made if there is none
    watch: { type: "boolean", default: false }, // only look on: no member, nothing to type
    url: { type: "string", default: "http://127.0.0.1:8080" },
    token: { type: "string", default: process.env.TOKEN },
    name: { type: "string", default: userInfo().username }, // who to be without a token
  },
});

const terminal = new Terminal();

function end(reason) {
  terminal.print(`— ${reason}`);
  process.exit(1);
}

const token = options.token ?? (await signIn(options.url, options.name).catch((e) => end(e.message)));
const user = userOfToken(token) ?? end("This is no token.");
// Kept in memory. In a browser the same two keep it over a reload.
const [store, storage] = [new Store(user), new MemoryStorage()];
const client = new Client({ io, url: options.url, user, token, store, storage });

client.on("refused", ({ code, message }) => end(`The server does not want us: ${message} (${code})`));
client.on("status", tellStatus);
await client.start();
const room = await enter(client, options.room, options.watch).catch((e) => end(e.message));
terminal.print(`— ${user} in ${options.room}`);
client.on("removed", (id) => id === room.id && end("You are not in this room any more."));
client.on("change", (changed) => changed.id === room.id && show());
client.on("outbox", tellFailed);
if (hasOlder(room)) await client.loadOlder(room, OLDER).catch(() => {}); // what is new comes anyway
show();
if (!options.watch) await say();

/** Print what was not printed yet, or not like this. */
function show() {
  const messages = visible(room);
  for (const message of messages) terminal.show(message.id, lineOf(message));
  if (messages.length) client.read(room, messages.at(-1).seq);
}

/** Send lines until there are no more; leave when the server has all of them. */
async function say() {
  for await (const text of terminal.lines()) {
    if (!text.trim()) continue;
    const names = mentioned(text);
    client.send(room, { text, ...(names.length ? { mentions: names } : {}) });
  }
  if (client.status !== "online") terminal.print("— Waiting to send it; Ctrl-C gives up.");
  client.on("outbox", leaveIfSent);
  leaveIfSent();
}

function leaveIfSent() {
  if (client.pending(room).length) return;
  setImmediate(() => process.exit()); // what came last is printed before
}

/** What the server refused stays in the outbox until somebody decides; here nobody can. */
function tellFailed() {
  for (const { failed, payload, client_id: id } of client.pending(room)) {
    if (!failed) continue;
    terminal.print(`— Not sent: ${payload.content.text} (${failed.code}: ${failed.message})`);
    client.discard(id);
  }
}

function tellStatus() {
  if (client.status === "offline") terminal.once("— No connection; it comes back by itself.");
  if (client.status === "syncing") terminal.once("— Connected.");
}
