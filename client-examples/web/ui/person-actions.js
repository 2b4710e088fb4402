/** What is done about people, in words, with a question before what hurts. */

import { LONGEST_MUTE } from "../parley/moderation.js";
import { confirm } from "./dialogs.js";
import { complain } from "./toasts.js";

const MINUTE = 60_000; // ms

const MUTES = [
  [10 * MINUTE, "Mute for 10 minutes", "act-mute-10m"],
  [60 * MINUTE, "Mute for 1 hour", "act-mute-1h"],
  [24 * 60 * MINUTE, "Mute for 1 day", "act-mute-1d"],
  [LONGEST_MUTE, "Mute until unmuted", "act-mute"],
];

/** By the names of `actionsOn`: its entries for a menu or a row of buttons. */
const ACTIONS = {
  approve: ({ moderation }, room, user) => [
    entry("Let in", "act-approve", () => moderation.approve(room, user)),
  ],
  refuse: ({ moderation }, room, user) => [
    entry("Refuse", "act-refuse", () => moderation.kick(room, user)),
  ],
  withdraw: ({ moderation }, room, user) => [
    entry("Withdraw", "act-withdraw", () => moderation.kick(room, user)),
  ],
  unban: ({ moderation }, room, user) => [
    entry("Lift the ban", "act-unban", () => moderation.unban(room, user)),
  ],
  make_admin: ({ moderation }, room, user) => [
    entry("Make admin", "act-make-admin", () => moderation.setRole(room, user, "admin")),
  ],
  make_member: ({ moderation }, room, user) => [
    entry("Make member", "act-make-member", () => moderation.setRole(room, user, "member")),
  ],
  hand_over: ({ moderation }, room, user) => [
    asked("Hand over ownership…", "act-hand-over", () => moderation.setRole(room, user, "owner"), {
      title: `Make ${user} the owner?`,
      text: "You become an admin. Only the new owner can give the room back.",
      action: "Hand over",
    }),
  ],
  mute: ({ moderation }, room, user) =>
    MUTES.map(([ms, text, testid]) => entry(text, testid, () => moderation.mute(room, user, ms))),
  unmute: ({ moderation }, room, user) => [
    entry("Unmute", "act-unmute", () => moderation.mute(room, user, 0)),
  ],
  kick: ({ moderation }, room, user) => [
    asked("Remove…", "act-kick", () => moderation.kick(room, user), {
      title: `Remove ${user}?`,
      text:
        room.info.type === "public"
          ? `${user} leaves the room at once, and may join again. To prevent that, ban.`
          : `${user} leaves the room at once, and needs an invitation to come back.`,
      action: "Remove",
    }),
  ],
  ban: ({ moderation }, room, user) => [
    asked("Ban…", "act-ban", () => moderation.ban(room, user), {
      title: `Ban ${user}?`,
      text: `${user} can neither join nor be invited until somebody lifts the ban.`,
      action: "Ban",
    }),
  ],
};

/**
 * @param {object} row   of `personRow`
 * @param {{client: object, room: object}} act
 * @returns {{text: string, testid: string, run: Function, danger: boolean}[]}
 */
export function personActions({ user, actions }, { client, room }) {
  return actions.flatMap((name) => ACTIONS[name](client, room, user));
}

const entry = (text, testid, work) => ({ text, testid, danger: false, run: () => tried(work) });

const asked = (text, testid, work, { title, text: question, action }) => ({
  text,
  testid,
  danger: true,
  run: async () => (await confirm(title, question, action)) && tried(work),
});

/** What it did shows as a row of the room; what failed is said. */
async function tried(work) {
  try {
    await work();
  } catch (problem) {
    complain(problem);
  }
}
