// The network between one client and servers, which can be cut.

import { connect, createServer } from "node:net";

export class Path {
  #server;
  #targets;
  #sockets = new Set();
  #cut = false;

  /** @param {number[]} targets  ports of servers; each cut makes it lead to the next one */
  constructor(targets) {
    this.#targets = [...targets];
    this.#server = createServer((near) => this.#open(near));
  }

  /** @returns {Promise<number>} the port that stands for theirs */
  async open() {
    await new Promise((done) => this.#server.listen(0, "127.0.0.1", done));
    return this.#server.address().port;
  }

  /** Break what is open, with all that is on its way, and let nothing through. */
  cut() {
    this.#cut = true;
    this.#targets.push(this.#targets.shift());
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#cut = false;
  }

  #open(near) {
    if (this.#cut) return near.resetAndDestroy();
    const far = connect(this.#targets[0], "127.0.0.1");
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
