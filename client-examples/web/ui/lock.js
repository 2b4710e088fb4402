/** Why one cannot write here now, if that is so. Pure. */

import { may, maySpeak } from "../parley/rights.js";
import { names, until } from "./format.js";

const TYPES = { image: "images", file: "files" };

/**
 * @param {object} place   a room, or {to: user}
 * @returns {{kind: "watching"|"muted"|"mute_all"|"types"|"closed", text: string}|null}
 */
export function lockOf(place, now = Date.now()) {
  if (place.to || !place.can || !place.info) return null;
  if (place.watching) return lock("watching", "You are looking in. Members can write.");
  const { allowed_types: types = ["text"], mute_all: muteAll } = place.info.settings ?? {};
  if (maySpeak(place)) {
    if (types.includes("text")) return null;
    const kinds = names(types.map((type) => TYPES[type] ?? type));
    return lock("types", `Only ${kinds} may be sent here, and this page sends text.`);
  }
  const end = place.membership?.muted_until;
  if (end && Date.parse(end) > now) {
    const time = until(end, now) ?? "until somebody unmutes you";
    return lock("muted", `You are muted ${time}.`);
  }
  if (muteAll && may(place, "history"))
    return lock("mute_all", "Only owner and admins write here now.");
  return lock("closed", "You may not write here now.");
}

const lock = (kind, text) => ({ kind, text });
