/** Rooms for tests: the server is a list of answers. */

import { RequestError } from "../parley/errors.js";
import { Rooms } from "../parley/rooms.js";

export const ME = "ann";
export const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

export const message = (seq, more = {}) => ({
  type: "chat",
  id: `m${seq}`,
  room_id: "r",
  seq,
  rev: seq,
  from: "bob",
  content: { text: `text ${seq}` },
  ...more,
});

export const page = (upto, events = [], more = {}) => ({
  state: "ok",
  upto,
  head: 0,
  events,
  more: false,
  floor_seq: 0,
  read_seq: 0,
  unread: events.length,
  mentions: 0,
  ...more,
});

export const info = {
  id: "r",
  name: "Room",
  type: "public",
  owner: "bob",
  member_count: 2,
  members: ["ann", "bob"],
};

export const person = (user, role = "member") => ({ user_id: user, role, state: "member" });

/** Rooms whose requests are answered by `answers[event](payload)`. */
export function setUp(answers = {}) {
  const asked = [];
  const request = async (event, payload) => {
    asked.push([event, payload]);
    const answer = answers[event]?.(payload);
    if (answer instanceof Error) throw answer;
    if (!answer && event === "room") throw new RequestError({ code: "not_found", message: "" });
    return answer ?? { rooms: [] };
  };
  const rooms = new Rooms({ me: ME, request });
  return {
    rooms,
    asked,
    syncs: () => asked.filter(([event]) => event === "sync").map(([, payload]) => payload.rooms),
  };
}

/** Rooms with one room that is live at e.5. */
export function live(answers) {
  const world = setUp(answers);
  world.rooms.connected();
  world.rooms.take("sync", { rooms: { r: page("e.5", [], { read_seq: 5 }) }, done: true });
  world.room = world.rooms.get("r");
  return world;
}
