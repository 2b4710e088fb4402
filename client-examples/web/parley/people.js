/**
 * Who is in a room, who wants to be and who may not: one list for each state of a membership.
 *
 * Pure. A list is there once its first page was taken; from then on the rows of the log keep it
 * true. Pages come by user id, so a row may show somebody before her page does.
 */

import { heirAfter, standingAfter } from "./membership.js";

const RANK = { owner: 2, admin: 1, member: 0 };

/**
 * @typedef {object} PeopleList
 * @property {Record<string, object>} users   memberships by user id
 * @property {string} [next]   cursor of the next page; absent where this is all
 */

/** Take a page of `members`; without a cursor the list begins anew. */
export function takePeople(room, state, page, cursor) {
  const before = cursor === undefined ? {} : (room.people[state]?.users ?? {});
  const users = { ...before };
  for (const person of page.members) users[person.user_id] = person;
  room.people = { ...room.people, [state]: { users, next: page.next } };
}

/** Fold a row into every list that is there; safe to repeat. */
export function applyToPeople(room, event) {
  const standing = standingAfter(event);
  if (!standing) return;
  const { user, state, changes } = standing;
  for (const [name, list] of Object.entries(room.people)) {
    if (name === state) put(list, user, state, changes);
    else delete list.users[user];
  }
  pass(room, event);
}

function put(list, user, state, changes) {
  const known = list.users[user] ?? { user_id: user, role: "member" };
  list.users[user] = { ...known, state, ...changes };
}

/** Hand the room over: the row names who owns it now, and who gave it away is an admin. */
function pass(room, event) {
  const heir = heirAfter(event);
  const members = room.people.member?.users ?? {};
  if (!heir) return;
  if (members[heir]) members[heir] = { ...members[heir], role: "owner" };
  const giver = members[event.from];
  if (event.type === "room_update" && giver && event.from !== heir)
    members[event.from] = { ...giver, role: "admin" };
}

/** Keep the number of members as rows tell it, before `applyToPeople`; the next view sets it right. */
export function countPeople(room, { type, content }) {
  if (!room.info || (type !== "join_room" && type !== "leave_room")) return;
  const list = room.people.member;
  const whole = list && list.next === undefined;
  const inside = whole ? content.user_id in list.users : type === "leave_room" && !content.was;
  const step = Number(type === "join_room") - Number(inside);
  room.info = { ...room.info, member_count: Math.max(0, room.info.member_count + step) };
}

/** A list to show: by rank, then by name; undefined while nobody asked for it. */
export function listed(room, state = "member") {
  const list = room.people?.[state];
  if (!list) return undefined;
  return Object.values(list.users).sort(
    (a, b) => RANK[b.role] - RANK[a.role] || (a.user_id < b.user_id ? -1 : 1),
  );
}

/** Whether a list goes on behind what is known of it. */
export const hasMore = (room, state = "member") => room.people?.[state]?.next !== undefined;

/** One member, as far as is known. */
export const memberOf = (room, user) => room?.people?.member?.users[user];

/** The ids of the members, as far as is known. */
export function memberIds(room) {
  const users = room?.people?.member?.users;
  return users ? Object.keys(users) : (room?.info?.members ?? []);
}

/**
 * Who will own the room when its owner leaves: the oldest admin, else the oldest member.
 *
 * @returns {string|null|undefined} null: there is nobody else; undefined: it cannot be told here,
 *   because not all members are loaded, or some came in the same moment
 */
export function heirOf(room, owner) {
  const others = (listed(room) ?? []).filter(({ user_id: user }) => user !== owner);
  if (!room.people.member || hasMore(room)) return undefined;
  if (!others.length) return null;
  const admins = others.filter(({ role }) => role === "admin");
  const able = admins.length ? admins : others;
  const first = able.map((person) => person.joined_at).sort()[0];
  const oldest = able.filter((person) => person.joined_at === first);
  return oldest.length === 1 ? oldest[0].user_id : undefined;
}
