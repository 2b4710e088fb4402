// Socket.IO on Node.js, with the contract of __init__.py: node socketio.js PORT [recovery]

import { createServer } from "node:http";
import { Server } from "socket.io";

const [port, recovery] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, {
  perMessageDeflate: false, // its default, said because all peers must agree
  httpCompression: false,
  serveClient: false,
  // With its defaults: two minutes, middlewares skipped.
  ...(recovery === "recovery" && { connectionStateRecovery: {} }),
});

io.on("connection", (socket) => {
  socket.join("room");
  socket.on("echo", (argument, ack) => ack(argument));
  socket.on("bcast", (argument) => io.to("room").emit("msg", argument));
});

http.listen(Number(port), "127.0.0.1", () => console.log("listening"));
