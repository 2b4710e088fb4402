// Stock socket.io-client, driven by tests/node_client.py: JSON lines on stdin and stdout.
//
// A line on stdin is a list of commands, done in one tick. A command names its client, which
// `connect` makes: {client: 1, do: "connect", url, auth, options}, the url with its namespace. What
// happens to a client goes out as {client: 1, name, data}; acks as {client: 1, ack: 7, data} or
// {client: 1, ack: 7, lost}.

import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const ACK_TIMEOUT_MS = 60_000; // longer than any test waits

class Client {
  constructor(number, { url, auth, options }) {
    this.number = number;
    this.moments = new Map(); // "connect", "upgrading" or "upgrade" -> commands
    this.auth = auth;
    this.socket = io(url, {
      ...options,
      auth: (send) => send(this.auth),
      forceNew: true,
    });
    this.listen();
  }

  listen() {
    const { socket } = this;
    socket.onAny((name, data) => this.tell({ name, data }));
    socket.on("connect", () => {
      this.happened("connect", { transport: socket.io.engine.transport.name });
    });
    socket.on("disconnect", (reason, details) => {
      const { code, reason: text } = details?.context ?? {};
      this.happened("disconnect", { reason, code, text, active: socket.active });
    });
    socket.on("connect_error", ({ message, data }) => {
      this.happened("connect_error", { message, data, active: socket.active });
    });
    socket.io.on("open", () => {
      const { engine } = socket.io;
      engine.on("upgrading", () => this.happened("upgrading"));
      engine.on("upgrade", ({ name }) => this.happened("upgrade", { transport: name }));
    });
  }

  tell(what) {
    process.stdout.write(`${JSON.stringify({ client: this.number, ...what })}\n`);
  }

  happened(moment, data) {
    this.tell({ name: `@${moment}`, data });
    for (const command of this.moments.get(moment) ?? []) this.do(command);
    this.moments.delete(moment);
  }

  do(command) {
    this[command.do](command);
  }

  at({ moment, commands }) {
    this.moments.set(moment, commands);
  }

  identify({ auth }) {
    this.auth = auth;
  }

  emit({ event, args, ack, keep }) {
    const { socket } = this;
    const values = args.map(withBytes);
    if (ack === undefined) {
      socket.emit(event, ...values);
    } else if (!socket.connected && !keep) {
      // The client would keep it and send it by itself later, beside what a test sends then.
      this.tell({ ack, lost: "not connected" });
    } else {
      socket.timeout(ACK_TIMEOUT_MS).emit(event, ...values, (error, data) => {
        this.tell(error ? { ack, lost: error.message } : { ack, data });
      });
    }
  }

  message({ text }) {
    this.socket.io.engine.write(text);
  }

  disconnect() {
    this.socket.disconnect();
  }
}

// {"@bytes": [1, 2]} stands for binary data, anywhere in an argument.
function withBytes(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withBytes);
  if ("@bytes" in value) return Buffer.from(value["@bytes"]);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withBytes(inner)]));
}

const clients = new Map();

createInterface({ input: process.stdin })
  .on("line", (line) => {
    for (const command of JSON.parse(line)) {
      const { client } = command;
      if (command.do === "connect") clients.set(client, new Client(client, command));
      else clients.get(client).do(command);
    }
  })
  .on("close", () => process.exit());
