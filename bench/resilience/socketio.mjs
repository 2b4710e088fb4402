// Somebody in the room of bench/servers/socketio.js: stock socket.io-client, used as its manual says.

export class Person {
  #socket;
  #heard = [];

  constructor({ io, url, changed }) {
    this.#socket = io(url, { autoConnect: false });
    this.#socket.on("connect", changed);
    this.#socket.on("disconnect", changed);
    this.#socket.on("msg", (number) => this.#heard.push(Number(number)));
  }

  start() {
    this.#socket.connect();
  }

  get back() {
    return this.#socket.connected;
  }

  get count() {
    return this.#heard.length;
  }

  heard() {
    return this.#heard;
  }

  say(number) {
    this.#socket.emit("bcast", String(number));
  }

  /** It keeps what is said while offline, and does not tell how much that is. */
  get unsent() {
    return this.#socket.sendBuffer.length;
  }
}
