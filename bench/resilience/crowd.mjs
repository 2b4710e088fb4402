// Many clients in one process, driven by bench/resilience/crowd.py: node crowd.mjs CONFIG.json
//
// The file says {kind, port, cuts, options, speaker, people}; speaker and people are {user, token,
// rooms}, and only one process has a speaker. `cuts` puts a network between each of the people and
// the server, `options` are for socket.io-client. A line on stdin is a command, its answer a line on
// stdout.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Path } from "./paths.mjs";

const COMING_AT_ONCE = 32;
const LOOK = 100; // ms
const STILL = 8000; // ms; a client that is back asks for what it misses long before
const GRACE = 500; // ms in which one message too many would come

const web = createRequire(new URL("../../client-examples/web/package.json", import.meta.url));
const { io } = web("socket.io-client");
const config = JSON.parse(readFileSync(process.argv[2]));
const { Person } = await import(`./${config.kind}.mjs`);

/** Return an `io` whose namespaces share one connection, that of this browser and no other. */
function browser() {
  let first;
  return (url, options) => {
    if (first) return first.io.socket(new URL(url).pathname, options);
    first = io(url, { ...options, ...config.options, forceNew: true });
    return first;
  };
}

/** A client, the network before it, and when it last came back. */
class Place {
  #path;
  backAt = null; // ms, or null while it is away

  constructor({ cuts }) {
    this.#path = cuts ? new Path(config.port) : null;
  }

  async open(who) {
    const port = this.#path ? await this.#path.open() : config.port;
    this.person = new Person({
      io: browser(),
      url: `http://127.0.0.1:${port}`,
      ...who,
      changed: () => this.#changed(),
    });
  }

  #changed() {
    if (!this.person.back) this.backAt = null;
    else this.backAt ??= Date.now();
  }

  /** Cut it off again and again, not all at the same time. */
  async suffer({ off, on, until }) {
    let cuts = 0;
    await sleep(Math.random() * (off + on));
    for (; Date.now() + off < until; cuts++) {
      this.#path.cut();
      await sleep(off);
      this.#path.mend();
      await sleep(on * (0.75 + Math.random() / 2));
    }
    return cuts;
  }
}

async function placeOf(who, options) {
  const place = new Place(options);
  await place.open(who);
  return place;
}

const speaker = config.speaker && (await placeOf(config.speaker, { cuts: false }));
const places = await Promise.all(config.people.map((who) => placeOf(who, config)));

const all = (test, deadline) => sure(() => places.every(test), deadline);

/** Return a test: whether everybody is back, and nobody has heard anything for a while. */
function stillness() {
  let last;
  let since;
  return () => {
    const heard = places.reduce((sum, { person }) => sum + person.count, 0);
    if (heard !== last || !places.every(({ person }) => person.back)) since = Date.now();
    last = heard;
    return Date.now() - since > STILL;
  };
}

async function sure(test, deadline = Infinity) {
  while (!test() && Date.now() < deadline) await sleep(LOOK);
}

const commands = {
  /** Let everybody come. */
  async connect() {
    speaker?.person.start();
    let started = 0;
    while (started < places.length) {
      const away = places.slice(0, started).filter(({ person }) => !person.back).length;
      for (const place of places.slice(started, started + COMING_AT_ONCE - away)) {
        place.person.start();
        started++;
      }
      await sleep(LOOK / 10);
    }
    await all(({ person }) => person.back);
    await sure(() => speaker?.person.back ?? true);
    return {};
  },

  /** The speaker says 0, 1 …, `count` of them, in every room. */
  async say({ count, every }) {
    const began = Date.now();
    for (let number = 0; number < count; number++) {
      await sleep(began + number * every - Date.now());
      speaker.person.say(number);
    }
    return {};
  },

  /** Everybody is cut off for `off` ms after about `on` ms, for `during` ms. */
  async suffer({ off, on, during }) {
    const until = Date.now() + during;
    const cuts = await Promise.all(places.map((place) => place.suffer({ off, on, until })));
    return { cuts: cuts.reduce((sum, each) => sum + each, 0) };
  },

  /** Wait until everybody is back, after `since`. */
  async back({ since, patience }) {
    const here = ({ backAt }) => backAt !== null && backAt > since;
    await all(here, Date.now() + patience);
    return { seconds: places.map((place) => (here(place) ? (place.backAt - since) / 1000 : null)) };
  },

  /** Wait until what was said, 0 to `count` - 1, is everywhere; then say what everybody has. */
  async count({ count, patience }) {
    const deadline = Date.now() + patience;
    const still = stillness();
    await sure(() => !speaker?.person.unsent, deadline);
    const complete = ({ person }) => person.back && person.count >= count;
    await sure(() => places.every(complete) || still(), deadline);
    await sleep(GRACE);
    return { arrived: places.map(({ person }) => judged(person.heard())) };
  },
};

/** How many different ones there are, how many once more, and how many behind a later one. */
function judged(numbers) {
  const different = new Set(numbers).size;
  const late = numbers.filter((number, index) => index > 0 && number < numbers[index - 1]).length;
  return [different, numbers.length - different, late];
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, do: name, ...options } = JSON.parse(line);
    answer({ id, ...(await commands[name](options)) });
  })
  .on("close", () => process.exit());
