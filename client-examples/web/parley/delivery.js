/**
 * Empties the outbox: one entry at a time in each lane, while connected.
 *
 * One at a time, because a later message must not overtake an earlier one that
 * has to be tried again. Lanes (rooms) do not wait for one another.
 */

const FIRST_WAIT = 1000; // ms
const LONGEST_WAIT = 30_000; // ms
const BELIEVABLE_WAIT = 300_000; // ms; a longer one means that the clock was set back

export class Delivery {
  #outbox;
  #send;
  #online;
  #delivered;
  #lock;
  #now;
  #running = new Set();
  #timers = new Map();

  /**
   * @param {object} parts
   * @param {import("./outbox.js").Outbox} parts.outbox
   * @param {(event: string, payload: object) => Promise<object>} parts.send   rejects with a RequestError
   * @param {() => boolean} parts.online
   * @param {(entry: object, data: object) => void} parts.delivered   called before the entry is removed
   * @param {(name: string, task: () => Promise<void>) => Promise<void>} [parts.lock]
   */
  constructor({ outbox, send, online, delivered, lock = tabLock, now = Date.now }) {
    this.#outbox = outbox;
    this.#send = send;
    this.#online = online;
    this.#delivered = delivered;
    this.#lock = lock;
    this.#now = now;
  }

  /** Send what there is; call it when something was written or the connection is back. */
  kick() {
    if (!this.#online()) return;
    for (const lane of this.#outbox.lanes()) this.#start(lane);
  }

  /** Stop waiting; what is in flight ends by itself. */
  close() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #start(lane) {
    if (this.#running.has(lane)) return;
    this.#running.add(lane);
    try {
      await this.#lock(this.#outbox.lockName(lane), () => this.#drain(lane));
    } finally {
      this.#running.delete(lane);
    }
    // Something may have been written after the last look, before `delete`.
    if (this.#ready(lane)) this.#start(lane);
  }

  async #drain(lane) {
    while (this.#ready(lane)) await this.#attempt(this.#outbox.next(lane));
  }

  /** Whether the lane's next entry may go out now; if it only has to wait, set the alarm. */
  #ready(lane) {
    if (!this.#online()) return false;
    const entry = this.#outbox.next(lane);
    if (!entry) return false;
    const wait = entry.retry_at - this.#now();
    if (wait <= 0 || wait > BELIEVABLE_WAIT) return true;
    clearTimeout(this.#timers.get(lane));
    this.#timers.set(
      lane,
      setTimeout(() => this.kick(), wait),
    );
    return false;
  }

  async #attempt(entry) {
    const { client_id: id } = entry;
    if (this.#outbox.tooOld(entry)) {
      const message = "This waited too long; it may or may not have been sent.";
      return this.#outbox.update(id, { failed: { code: "expired", message } });
    }
    this.#outbox.update(id, { attempts: entry.attempts + 1 });
    let data;
    try {
      data = await this.#send(entry.event, { ...entry.payload, client_id: id });
    } catch (error) {
      return this.#outbox.update(id, this.#verdict(entry, error));
    }
    this.#delivered(entry, data);
    this.#outbox.remove(id);
  }

  #verdict(entry, error) {
    if (!error.retryable) {
      return { failed: { code: error.code ?? "internal", message: error.message } };
    }
    // Offline needs no alarm: the next connect kicks.
    if (error.code === "offline") return {};
    const backoff = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** entry.attempts);
    return { retry_at: this.#now() + (error.retryAfter ?? backoff * (0.5 + Math.random() / 2)) };
  }
}

/**
 * Run `task` in one tab at a time.
 *
 * Where the browser has no locks (plain http from another machine) two tabs may
 * send the same entry: the client_id makes that one message, and since every tab
 * goes through the lane from its start, the order holds too.
 */
async function tabLock(name, task) {
  const locks = globalThis.navigator?.locks;
  return locks ? locks.request(name, task) : task();
}
