// Drives the chat page's own rule.js: a JSON line in, a JSON line out.
import { createInterface } from "node:readline";
import * as rule from "../../../client-examples/web/parley/rule.js";

let rooms = {};
const room = (client, id) => (rooms[`${client} ${id}`] ??= rule.newRoom());

const operations = {
  clear: () => (rooms = {}),
  begin: (client, id) => rule.beginSync(room(client, id)),
  event: (client, id, event) => rule.applyEvent(room(client, id), event),
  sync: (client, id, reply) => rule.applySync(room(client, id), reply),
  behind: (client, id) => rule.applyBehind(room(client, id)),
  forget: (client, id) => delete rooms[`${client} ${id}`],
};

for await (const line of createInterface({ input: process.stdin })) {
  const [operation, client, id, ...rest] = JSON.parse(line);
  const result = operations[operation](client, id, ...rest) ?? null;
  const state = client === undefined ? null : rooms[`${client} ${id}`];
  process.stdout.write(JSON.stringify([result, state ?? null]) + "\n");
}
