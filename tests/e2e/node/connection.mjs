// A connection of the chat page's client module to a server: `node connection.mjs URL TOKEN`.
//
// Says a line of JSON for what happens to it: {name, at}, `at` in milliseconds.

import { io } from "socket.io-client";
import { Connection } from "../../../client-examples/web/parley/connection.js";

const [url, token] = process.argv.slice(2);
const say = (name, data) => console.log(JSON.stringify({ name, data, at: performance.now() }));

function watched(...options) {
  const socket = io(...options);
  socket.io.on("reconnect_attempt", () => say("again"));
  return socket;
}

const connection = new Connection({ io: watched, namespace: "/chat", auth: () => ({ token }), url });
connection.on("up", () => say("up"));
connection.on("down", () => say("down"));
connection.on("event", (name, data) => say(name, data));
connection.open();
process.stdin.resume().on("end", () => process.exit());
