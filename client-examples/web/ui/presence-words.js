/** Who is here, in words and as a dot on a picture. */

import { h } from "./dom.js";
import { ago } from "./format.js";

export const STATUS_WORDS = {
  online: "Online",
  busy: "Busy",
  away: "Away",
  invisible: "Invisible",
};

/** "Online", "Last seen 5 minutes ago"; null where nothing is known. */
export function presenceWords(content, now = Date.now()) {
  if (!content) return null;
  const { status, last_seen: seen } = content;
  if (status !== "offline") return STATUS_WORDS[status];
  return seen ? `Last seen ${ago(seen, now)}` : "Offline";
}

/** What somebody sees of herself. */
export function ownStatusOf(own) {
  if (!own) return null;
  return own.invisible ? "invisible" : own.status;
}

/**
 * Put a dot on a picture, with a text for those who do not see it.
 *
 * @param {Element} picture   an avatar
 * @param {string|null|undefined} status   none where nobody is here, or nothing is known
 */
export function withDot(picture, status) {
  if (!(status in STATUS_WORDS)) return picture;
  const word = STATUS_WORDS[status];
  return h(
    "span",
    { class: "face" },
    picture,
    h(
      "span",
      { class: "dot", "data-testid": "presence", "data-status": status, title: word },
      h("span", { class: "hidden" }, word),
    ),
  );
}
