/** Lines in and lines out, which do not get into each other's way. */

import { clearLine, createInterface, cursorTo } from "node:readline";

export class Terminal {
  #reader;
  #shown = new Map(); // id → the line as it was printed last
  #last;

  /** Print a line above the one that is being typed. */
  print(line) {
    const { stdout } = process;
    if (stdout.isTTY) {
      clearLine(stdout, 0);
      cursorTo(stdout, 0);
    }
    console.log(line);
    if (stdout.isTTY) this.#reader?.prompt(true);
  }

  /** Print something that has an id, unless it was printed and is the same. */
  show(id, line) {
    if (this.#shown.get(id) === line) return;
    this.print(this.#shown.has(id) ? `* ${line}` : line);
    this.#shown.set(id, line);
  }

  /** Print a word about the connection, unless it was the last one. */
  once(line) {
    if (line !== this.#last) this.print(line);
    this.#last = line;
  }

  /** @returns {AsyncIterable<string>} what is typed, until the end of it */
  lines() {
    const { stdin: input, stdout } = process;
    this.#reader = createInterface({ input, output: stdout.isTTY ? stdout : undefined });
    this.#reader.prompt();
    return this.#reader;
  }
}
