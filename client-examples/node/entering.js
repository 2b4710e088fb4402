/** From the name of a room to the room. */

/**
 * Find the room, join it or make it.
 *
 * @param {import("../web/parley/client.js").Client} client   started
 * @param {string} name   rooms may share one: the first is taken
 * @param {boolean} watching   only look on
 */
export async function enter(client, name, watching) {
  await settled(client);
  const mine = client.rooms.all().find((room) => room.info.name === name);
  if (mine) return mine;
  const found = await seek(client, name);
  if (watching && !found) throw new Error(`There is no public room ${name} to look into.`);
  if (watching) return client.memberships.watch(found.id);
  if (!found) return client.memberships.create({ name, type: "public" });
  const room = await client.memberships.join(found.id);
  if (!room) throw new Error(`Asked to be let into ${name}; come back when somebody has agreed.`);
  return room;
}

/** Wait until everything missed is there, and the names of all rooms with it. */
function settled(client) {
  const done = () => client.status === "online" && client.rooms.all().every((room) => room.info);
  return until(client, ["status", "list"], done);
}

async function seek(client, name) {
  const finder = client.newFinder();
  const exact = () => finder.found.find((view) => view.room.name === name)?.room;
  const answered = until(finder, ["change"], () => !finder.busy);
  finder.seek(name, 0);
  await answered;
  while (!exact() && finder.next && !finder.error) await finder.more();
  if (finder.error) throw finder.error;
  return exact();
}

/** Resolve when `done` is true after one of these events. */
function until(emitter, events, done) {
  return new Promise((resolve) => {
    const look = () => {
      if (!done()) return;
      for (const stop of listening) stop();
      resolve();
    };
    const listening = events.map((name) => emitter.on(name, look));
  });
}
