// The network between one client and the server, which can be cut.

import { connect, createServer } from "node:net";

export class Path {
  #server;
  #sockets = new Set();
  #cut = false;

  /** @param {number} target  port of the server */
  constructor(target) {
    this.#server = createServer((near) => this.#open(near, target));
  }

  /** @returns {Promise<number>} the port that stands for the server's */
  async open() {
    await new Promise((done) => this.#server.listen(0, "127.0.0.1", done));
    return this.#server.address().port;
  }

  /** Break what is open, with all that is on its way, and let nothing through. */
  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#cut = false;
  }

  #open(near, target) {
    if (this.#cut) return near.resetAndDestroy();
    const far = connect(target, "127.0.0.1");
    near.pipe(far).pipe(near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      socket.setNoDelay();
      this.#sockets.add(socket);
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
