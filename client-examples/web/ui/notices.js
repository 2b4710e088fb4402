/** Joins, leaves and changes of a room, in words. Pure. */

import { duration, names } from "./format.js";

const TYPES = { text: "text", image: "images", file: "files" };

/** @returns {string|null} null for an ordinary message */
export function noticeText(message, me) {
  const say = WORDS[message.type];
  return say ? say(message.content, new Cast(message, me)) : null;
}

/** The newest thing in a room, in one line for the list. */
export function previewText(message, me, direct) {
  const notice = noticeText(message, me);
  if (notice) return notice;
  const text = message.deleted ? "deleted a message" : bodyText(message.content);
  if (message.from === me) return `You: ${text}`;
  return direct ? text : `${message.from}: ${text}`;
}

/** What a message says, without its form. */
export function bodyText(content) {
  if (content.text) return content.text;
  if (content.image) return "Image";
  return content.file ? "File" : "";
}

/** Who did it to whom, as the reader would say it. */
class Cast {
  constructor({ content, from }, me) {
    const user = content.user_id ?? content.member?.user_id;
    const by = content.by ?? from;
    this.me = me;
    this.own = by === user;
    this.actor = by === me ? "You" : by;
    this.Subject = user === me ? "You" : user;
    this.subject = user === me ? "you" : user;
    this.their = user === me ? "your" : `${user}’s`;
  }

  /** "; bob is the owner now", where it changed hands. */
  heir(owner) {
    if (!owner) return "";
    return owner === this.me ? "; you are the owner now" : `; ${owner} is the owner now`;
  }
}

const WORDS = {
  join_room: ({ reason }, { own, actor, Subject, subject }) => {
    if (reason === "created")
      return own ? `${Subject} created the room` : `${actor} added ${subject}`;
    if (reason === "approved") return `${actor} let ${subject} in`;
    if (reason === "invited" && own) return `${Subject} accepted the invitation`;
    return own ? `${Subject} joined` : `${actor} added ${subject}`;
  },
  leave_room: ({ reason, was, owner }, cast) =>
    (LEAVING[`${reason} ${was}`] ?? LEAVING[reason])(cast) + cast.heir(owner),
  room_update: ({ changed, member }, cast) =>
    changed ? edited(changed, cast) : placed(member, cast),
};

const LEAVING = {
  left: ({ Subject }) => `${Subject} left`,
  kicked: ({ actor, subject }) => `${actor} removed ${subject}`,
  banned: ({ actor, subject }) => `${actor} banned ${subject}`,
  "left invited": ({ Subject }) => `${Subject} declined the invitation`,
  "left pending": ({ Subject, their }) =>
    `${Subject} took ${their === "your" ? "your" : "the"} request back`,
  "kicked invited": ({ actor, their }) => `${actor} withdrew ${their} invitation`,
  "kicked pending": ({ actor, their }) => `${actor} refused ${their} request`,
};

/** What happened to somebody's place in the room. */
function placed({ state, role, muted_for_ms: muted }, cast) {
  const { actor, Subject, subject, their } = cast;
  if (state === "invited") return `${actor} invited ${subject}`;
  if (state === "pending") return `${Subject} asked to join`;
  if (role === "owner") return `${actor} made ${subject} the owner`;
  if (role) return `${actor} made ${subject} ${role === "admin" ? "an admin" : "a member"}`;
  if (muted === undefined) return `${actor} lifted ${their} ban`;
  if (muted === 0) return `${actor} unmuted ${subject}`;
  const length = duration(muted);
  return `${actor} muted ${subject} ${length ? `for ${length}` : "until further notice"}`;
}

/** What somebody changed about the room itself. */
function edited({ name, description, settings = {} }, { actor }) {
  const done = [
    description && "changed the description",
    description === "" && "removed the description",
    ...Object.entries(settings).map(([field, value]) => SETTING[field]?.(value)),
  ].filter(Boolean);
  const renamed = name !== undefined && `${actor} renamed the room. It is now called “${name}”`;
  const rest = done.length > 0 && `${actor} ${names(done, Infinity)}`;
  return [renamed, rest].filter(Boolean).join(". ") || `${actor} changed the room`;
}

const SETTING = {
  is_private: (on) => (on ? "made the room unlisted" : "made the room open to everyone"),
  max_members: (most) => `set the limit to ${most} members`,
  allowed_types: (types) =>
    types.length === 3
      ? "allowed every kind of message"
      : `allowed only ${names(types.map((type) => TYPES[type] ?? type))}`,
  mute_all: (on) => (on ? "left writing to owner and admins" : "let everybody write again"),
  require_approval: (on) =>
    on ? "made newcomers ask before they join" : "let newcomers join without asking",
  retention_days: (days) =>
    days ? `had messages deleted after ${days} days` : "stopped the deletion of old messages",
};
