// Socket.IO on Node.js, with the contract of __init__.py: node socketio.js PORT [recovery | redis://…]

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, option = ""] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, {
  perMessageDeflate: false, // its default, said because all peers must agree
  httpCompression: false,
  serveClient: false,
  // With its defaults: two minutes, middlewares skipped.
  ...(option === "recovery" && { connectionStateRecovery: {} }),
});

if (option.startsWith("redis://")) {
  const clients = [createClient({ url: option }), createClient({ url: option })];
  await Promise.all(clients.map((client) => client.connect()));
  io.adapter(createAdapter(...clients));
}

io.on("connection", (socket) => {
  socket.join("room");
  socket.on("echo", (argument, ack) => ack(argument));
  socket.on("bcast", (argument) => io.to("room").emit("msg", argument));
});

http.listen(Number(port), "127.0.0.1", () => console.log("listening"));
