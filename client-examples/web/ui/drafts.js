/** What was begun and not sent, for this tab. */
export class Drafts {
  #prefix;
  #storage;

  constructor(user, storage) {
    this.#prefix = `parley:draft:${user}:`;
    this.#storage = storage;
  }

  get(place) {
    return this.#storage.getItem(this.#prefix + place) ?? "";
  }

  set(place, text) {
    if (text) this.#storage.setItem(this.#prefix + place, text);
    else this.#storage.removeItem(this.#prefix + place);
  }

  clear() {
    const keys = Array.from({ length: this.#storage.length }, (_, i) => this.#storage.key(i));
    for (const key of keys) if (key.startsWith(this.#prefix)) this.#storage.removeItem(key);
  }
}
