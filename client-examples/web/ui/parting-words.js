/** Why somebody is not in a room any more, in words. Pure. */

const WORDS = {
  kicked: (name, by) => `${by} removed you from ${name}.`,
  banned: (name, by) => (by ? `${by} banned you from ${name}.` : `You were banned from ${name}.`),
  refused: (name, by) => `${by} refused your request to join ${name}.`,
  withdrawn: (name, by) => `${by} withdrew the invitation to ${name}.`,
  deleted: (name) => `${name} was deleted.`,
  closed: (name) => `${name} cannot be looked into any more.`,
  away: (name) => `You are not in ${name} any more.`,
};

/** @param {import("../parley/partings.js").Parting} parting */
export function partingWords({ room, reason, by }) {
  return WORDS[reason](room.name || "the conversation", by);
}
