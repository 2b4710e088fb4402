// Many clients in one process, driven by bench/resilience/crowd.py: node crowd.mjs CONFIG.json
//
// The file says {kind, ports, cuts, options, speakers, voices, people}; speakers and people are {user,
// token, rooms}, and only one process has speakers, `voices` of them. `cuts` puts a network between
// each of the people and the servers at `ports`, `options` are for socket.io-client. A line on stdin
// is a command, its answer a line on stdout.

import { createHash } from "node:crypto";
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
  #ports;
  backAt = null; // ms, or null while it is away

  constructor({ cuts, ports }) {
    this.#ports = ports;
    this.#path = cuts ? new Path(ports) : null;
  }

  async open(who) {
    const port = this.#path ? await this.#path.open() : this.#ports[0];
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

/** @returns {Promise<Place[]>} as many at each port */
function placesOf(people, { cuts }) {
  return Promise.all(
    people.map(async (who, number) => {
      const first = number % config.ports.length;
      const ports = [...config.ports.slice(first), ...config.ports.slice(0, first)];
      const place = new Place({ cuts, ports });
      await place.open(who);
      return place;
    }),
  );
}

const speakers = await placesOf(config.speakers, { cuts: false });
const places = await placesOf(config.people, config);

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
    for (const { person } of speakers) person.start();
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
    await sure(() => speakers.every(({ person }) => person.back));
    return {};
  },

  /** The speakers say 0, 1 …, `count` of them, in every room; all speak at the same moment. */
  async say({ count, every }) {
    const began = Date.now();
    for (let number = 0; number < count; number++) {
      const voice = number % speakers.length;
      await sleep(began + (number - voice) * every - Date.now());
      speakers[voice].person.say(number);
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

  /** Wait until the server has all that the speakers said; a try that fails may wait for long. */
  async sent({ patience }) {
    await sure(() => speakers.every(({ person }) => !person.unsent), Date.now() + patience);
    return {};
  },

  /** Wait until what was said, 0 to `count` - 1, is everywhere; then say what everybody has. */
  async count({ count, patience }) {
    const deadline = Date.now() + patience;
    const still = stillness();
    const complete = ({ person }) => person.back && person.count >= count;
    await sure(() => places.every(complete) || still(), deadline);
    await sleep(GRACE);
    return { arrived: places.map(({ person }) => judged(person.heard())) };
  },
};

/**
 * How many different ones there are, how many once more, how many behind a later one of the same
 * speaker; and what is the same for those who have the same in the same order.
 */
function judged(numbers) {
  const different = new Set(numbers).size;
  const newest = [];
  let late = 0;
  for (const number of numbers) {
    const voice = number % config.voices;
    if (number < newest[voice]) late++;
    newest[voice] = number;
  }
  const order = createHash("sha256").update(numbers.join()).digest("hex");
  return [different, numbers.length - different, late, order];
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, do: name, ...options } = JSON.parse(line);
    answer({ id, ...(await commands[name](options)) });
  })
  .on("close", () => process.exit());
