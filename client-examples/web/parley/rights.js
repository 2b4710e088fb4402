/**
 * What this user may do. The server says it (`can`); all a client adds is rank: nobody acts on
 * who stands as high as herself. Pure.
 */

import { memberOf } from "./people.js";

const RANK = { member: 0, admin: 1, owner: 2 };

/** Whether the user may send an event about the room now. */
export const may = (place, event) => Boolean(place?.can?.includes(event));

/** Whether she may speak: write messages, that is. */
export const maySpeak = (room) => may(room, "chat") || may(room, "private");

function outranks(membership, other) {
  return RANK[membership?.role ?? "member"] > RANK[other?.role ?? "member"];
}

/**
 * The ways into a room from outside, or back out of its waiting room.
 *
 * @param {{room: object, membership?: object, can: string[]}} view
 * @returns {string[]}   of open, accept, decline, take_back, join, ask, watch
 */
export function waysIn(view) {
  const offered = (pairs) => pairs.filter(([, event]) => may(view, event)).map(([name]) => name);
  const asks = view.room.settings?.require_approval;
  switch (view.membership?.state) {
    case "member":
      return ["open"];
    case "invited":
      return offered([
        ["accept", "join_room"],
        ["decline", "leave_room"],
        ["watch", "watch"],
      ]);
    case "pending":
      return offered([
        ["join", "join_room"], // she need not be let in any more
        ["take_back", "leave_room"],
        ["watch", "watch"],
      ]);
    default:
      return offered([
        [asks ? "ask" : "join", "join_room"],
        ["watch", "watch"],
      ]);
  }
}

/**
 * What can be done with a message.
 *
 * @returns {string[]}   of react, reply, edit, delete
 */
export function toolsOn(room, message, me) {
  const allowed = (event) => !room?.can || may(room, event); // not known yet: the server will say
  const mine = message.from === me;
  return [
    allowed("react") && "react",
    (!room?.can || maySpeak(room)) && "reply",
    mine && allowed("edit_message") && "edit",
    mayDelete(room, message, me) && "delete",
  ].filter(Boolean);
}

/** Her own, or that of somebody she outranks, or of somebody who left. */
function mayDelete(room, message, me) {
  if (room?.can && !may(room, "delete_message")) return false;
  return message.from === me || outranks(room?.membership, memberOf(room, message.from));
}

/**
 * What can be done with somebody.
 *
 * @param {object} room    with `can` and `membership`
 * @param {object} person  her membership
 * @param {string} me
 * @returns {string[]}   of make_admin, make_member, hand_over, mute, unmute, kick, ban, approve,
 *   refuse, withdraw, unban
 */
export function actionsOn(room, person, me, now = Date.now()) {
  if (person.user_id === me) return [];
  const offered = (pairs) => pairs.filter(([, event]) => may(room, event)).map(([name]) => name);
  switch (person.state) {
    case "pending":
      return offered([
        ["approve", "approve"],
        ["refuse", "kick"],
        ["ban", "ban"],
      ]);
    case "invited":
      return offered([["withdraw", "kick"]]);
    case "banned":
      return offered([["unban", "unban"]]);
    default:
      return outranks(room.membership, person) ? offered(onMember(person, now)) : [];
  }
}

function onMember(person, now) {
  return [
    [person.role === "admin" ? "make_member" : "make_admin", "set_role"],
    ["hand_over", "set_role"],
    ["mute", "mute"],
    ...(isMuted(person, now) ? [["unmute", "mute"]] : []),
    ["kick", "kick"],
    ["ban", "ban"],
  ];
}

export const isMuted = (person, now = Date.now()) =>
  person?.muted_until !== undefined && Date.parse(person.muted_until) > now;
