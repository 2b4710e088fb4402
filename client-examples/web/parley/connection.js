/**
 * One Socket.IO namespace that comes back by itself. All of a page share one connection below.
 *
 * Emits `up`, `down`, `refused {code, message}` (this token will not do: do not
 * come back) and `event name payload` for everything the server says.
 */

import { Emitter } from "./emitter.js";
import { offline, RequestError, timedOut } from "./errors.js";

const ANSWER_WITHIN = 10_000; // ms
const AGAIN_AFTER = 3000; // ms, where socket.io-client does not reconnect by itself
const FINAL = new Set(["token_expired", "revoked", "signed_out"]);

export class Connection extends Emitter {
  #socket;
  #ended = null;
  #timer;
  #pace;

  /**
   * @param {object} parts
   * @param {Function} parts.io   from socket.io-client
   * @param {string} parts.namespace
   * @param {() => object} parts.auth   asked at every connect: cursors move
   * @param {string} [parts.url]   server to connect to; "" is the page's own
   */
  constructor({ io, namespace, auth, url = "" }) {
    super();
    // A function, so that each reconnect sends the cursors of that moment.
    const options = { auth: (answer) => answer(auth()), autoConnect: false };
    this.#socket = io(`${url}${namespace}`, options);
    const manager = this.#socket.io;
    this.#pace = [manager.reconnectionDelay(), manager.randomizationFactor()];
    this.#socket.on("connect", () => this.#up());
    this.#socket.on("disconnect", (reason) => this.#down(reason));
    this.#socket.on("connect_error", (error) => this.#failed(error));
    this.#socket.onAny((name, payload) => this.#event(name, payload));
  }

  get online() {
    return this.#socket.connected;
  }

  open() {
    this.#ended = null;
    // Where it is on its way already, the library would ask twice.
    if (!this.#socket.active) this.#socket.connect();
  }

  close() {
    clearTimeout(this.#timer);
    this.#socket.disconnect();
  }

  /** @returns {boolean} whether it waits to come back, or is on its way */
  get waiting() {
    return !this.online && !this.#ended;
  }

  /**
   * Ask the server.
   *
   * Never while disconnected, always with a time limit: otherwise the library
   * keeps the packet and sends it some time later, beside our own retry.
   *
   * @throws {RequestError}
   */
  request(event, payload) {
    if (!this.online) return Promise.reject(offline());
    return new Promise((resolve, reject) => {
      this.#socket.timeout(ANSWER_WITHIN).emit(event, payload, (error, ack) => {
        if (error) reject(this.online ? timedOut() : offline());
        else if (ack?.ok) resolve(ack.data);
        else reject(new RequestError(ack?.error ?? { code: "internal", message: "No answer." }));
      });
    });
  }

  /** Say something that needs no answer and is worth nothing later. */
  hint(event, payload) {
    if (this.online) this.request(event, payload).catch(() => {});
  }

  #up() {
    this.#comeBackAfter(...this.#pace);
    this.emit("up");
  }

  #event(name, payload) {
    if (name === "system" && payload.code === "draining") {
      this.#comeBackAfter(payload.retry_after_ms);
    }
    if (name === "system" && FINAL.has(payload.code)) {
      this.#ended = { code: payload.code, message: payload.message ?? "Your session has ended." };
    }
    this.emit("event", name, payload);
  }

  /** Let the library wait so many milliseconds before its next try, exactly if no spread is given. */
  #comeBackAfter(delay, spread = 0) {
    const manager = this.#socket.io; // of all namespaces
    manager.reconnectionDelay(delay);
    manager.randomizationFactor(spread);
  }

  #down(reason) {
    this.emit("down");
    if (this.#ended) this.emit("refused", this.#ended);
    // The library takes this reason as final; without a word of ours it is not.
    else if (reason === "io server disconnect") this.#again();
  }

  #failed(error) {
    this.emit("down");
    if (this.#socket.active) return; // no network: the library tries again
    this.#ended = { code: error.data?.code ?? "unauthorized", message: error.message };
    this.emit("refused", this.#ended);
  }

  #again() {
    this.#timer = setTimeout(() => this.open(), AGAIN_AFTER);
  }
}
