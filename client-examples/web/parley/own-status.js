/**
 * What this device says of itself, and what the user wants to be seen as.
 *
 * The choice is kept on the device, for all tabs: each is a device to the server, and of several
 * the most present counts. Idleness is of a tab. Emits `change` where the choice is another one.
 */

import { Emitter } from "./emitter.js";

const SAY_AGAIN = 2000; // ms
const CHOICES = ["online", "busy", "away"];

export class OwnStatus extends Emitter {
  #connection;
  #presence;
  #storage;
  #key;
  #idle = false;
  #again; // timer

  /**
   * @param {object} parts
   * @param {string} parts.me
   * @param {import("./connection.js").Connection} parts.connection   to `/presence`
   * @param {import("./presence.js").Presence} parts.presence
   * @param {Storage} parts.storage
   */
  constructor({ me, connection, presence, storage }) {
    super();
    this.#connection = connection;
    this.#presence = presence;
    this.#storage = storage;
    this.#key = `parley:status:${me}`;
    // At every connect: within the grace it stands for the device that has just left.
    connection.on("up", () => this.#say());
  }

  /** @returns {"online"|"busy"|"away"} */
  get choice() {
    const kept = this.#storage.getItem(this.#key);
    return CHOICES.includes(kept) ? kept : "online";
  }

  /** What the device is: idleness makes away of online, and of nothing else. */
  get status() {
    return this.#idle && this.choice === "online" ? "away" : this.choice;
  }

  /**
   * Be seen as this.
   *
   * @param {"online"|"busy"|"away"|"invisible"} wanted
   * @throws {RequestError} nothing has changed then
   */
  async choose(wanted) {
    const invisible = wanted === "invisible";
    const status = invisible ? this.status : wanted;
    await this.#tell({ status, invisible });
    if (!invisible) this.#storage.setItem(this.#key, wanted);
    this.emit("change");
  }

  /** Nobody has touched this device for a while, or somebody has again. */
  idle(is) {
    if (this.#idle === is) return;
    const before = this.status;
    this.#idle = is;
    if (this.status !== before) this.#say();
  }

  /** For the `storage` event of the window: another tab chose. */
  touched(key) {
    if (key !== this.#key && key !== null) return;
    this.#say();
    this.emit("change");
  }

  /** Leave nothing of this user on this device. */
  clear() {
    this.#storage.removeItem(this.#key);
  }

  close() {
    clearTimeout(this.#again);
  }

  /** Tell the server; what fails for now is told again, as it is then. */
  async #say() {
    clearTimeout(this.#again);
    if (!this.#connection.online) return;
    try {
      await this.#tell({ status: this.status });
    } catch (error) {
      if (!error.retryable || error.code === "offline") return;
      this.#again = setTimeout(() => this.#say(), error.retryAfter ?? SAY_AGAIN);
    }
  }

  async #tell(words) {
    this.#presence.told(await this.#connection.request("set_status", words));
  }
}
