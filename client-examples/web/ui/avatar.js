/** A person or a room as a small picture: initials on a colour that stays the same. */

import { h, icon } from "./dom.js";

const HUES = 8;

export function avatar(user, size = "") {
  return h("span", { class: `avatar hue-${hue(user)} ${size}`, "aria-hidden": "true" }, initials(user));
}

/** A room's sign: the other person's initials, or what kind of room it is. */
export function roomSign(info, peer) {
  if (info?.type === "direct" || (!info && peer)) return avatar(peer);
  const sign = { private: "lock", group: "group" }[info?.type] ?? "hash";
  return h("span", { class: `avatar square hue-${hue(info?.id ?? "")}`, "aria-hidden": "true" }, icon(sign));
}

/** Which of the colours a name has. */
export function hue(name) {
  let sum = 7;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)) >>> 0;
  return sum % HUES;
}

function initials(user) {
  const words = user.split(/[._@-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0][0] + words[1][0] : user.slice(0, 2);
  return letters.toUpperCase();
}
