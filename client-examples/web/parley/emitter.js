/** The few lines of an event emitter this client needs. */
export class Emitter {
  #listeners = new Map();

  /** @returns {() => void} a function that stops listening */
  on(name, listener) {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => set.delete(listener);
  }

  emit(name, ...values) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...values);
  }
}
