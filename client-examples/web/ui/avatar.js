/** A person or a room as a small picture: initials on a colour that stays the same. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

export function avatar(user, size = "") {
  return hued(h("span", { class: `avatar ${size}`, "aria-hidden": "true" }, initials(user)), user);
}

/** A room's sign: the other person's initials, or what kind of room it is. */
export function roomSign(info, peer) {
  if (info?.type === "direct" || (!info && peer)) return avatar(peer);
  const sign = { private: "lock", group: "group" }[info?.type] ?? "hash";
  return hued(
    h("span", { class: "avatar square", "aria-hidden": "true" }, icon(sign)),
    info?.id ?? "",
  );
}

/** Give an element the colour of a name; the style sheets say how bright. */
export function hued(element, name) {
  let hash = 0x811c9dc5; // FNV-1a, stirred once more: short names differ in few bits
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  element.style.setProperty("--hue", String((hash >>> 13) % 360));
  return element;
}

function initials(user) {
  const words = user.split(/[._@-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0][0] + words[1][0] : user.slice(0, 2);
  return letters.toUpperCase();
}
