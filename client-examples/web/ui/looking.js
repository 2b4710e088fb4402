/**
 * Whether the user looks at this page, in whatever tab of this browser.
 *
 * A tab holds a lock of the browser's while it is looked at and has what there is; one that ends,
 * however that happens, holds it no more. Without such locks (they need https, or this machine) a
 * tab knows of itself only.
 */

const { locks } = navigator;

export class Looking {
  #client;
  #name;
  #letGo = null;

  /** @param {object} client   its user is meant: another tab may be another user's */
  constructor(client) {
    this.#client = client;
    this.#name = `parley:looking:${client.me}`;
    document.addEventListener("visibilitychange", () => this.#settle());
    client.on("status", () => this.#settle());
    this.#settle();
  }

  /** Whether a tab shows at this moment what has come. */
  async anywhere() {
    if (!document.hidden) return true;
    const { held } = (await locks?.query()) ?? { held: [] };
    return held.some(({ name }) => name === this.#name);
  }

  #settle() {
    const looked = !document.hidden && this.#client.status === "online";
    if (looked === Boolean(this.#letGo)) return;
    if (looked) return this.#hold();
    this.#letGo();
    this.#letGo = null;
  }

  #hold() {
    const over = new Promise((resolve) => {
      this.#letGo = resolve;
    });
    locks?.request(this.#name, { mode: "shared" }, () => over);
  }
}
