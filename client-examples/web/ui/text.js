/** Message text: what in it is a link, what names somebody. */

import { ranges } from "../parley/search.js";
import { h } from "./dom.js";

const PARTS = /(?<url>https?:\/\/[^\s<>"]+)|(?<=^|[\s(])@(?<user>[A-Za-z0-9._@-]{1,64})/gu;
const ONLY_EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}|\u200d|\ufe0f|\p{Emoji_Modifier}){1,12}$/u;

/**
 * Split a text.
 *
 * @param {string} text
 * @param {string[]} users   who can be named
 * @returns {{kind: "text"|"link"|"user", text: string, user?: string}[]}
 */
export function split(text, users = []) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(PARTS)) {
    const part = match.groups.url ? link(match.groups.url) : named(match.groups.user, users);
    if (!part) continue;
    if (match.index > end) parts.push({ kind: "text", text: text.slice(end, match.index) });
    parts.push(part);
    end = match.index + part.text.length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

/** The users a text names. */
export function mentioned(text, users) {
  const found = split(text, users).filter((part) => part.kind === "user");
  return [...new Set(found.map((part) => part.user))];
}

/** Whether a text is a few emoji and nothing else. */
export const onlyEmoji = (text) => ONLY_EMOJI.test(text.replaceAll(" ", ""));

/**
 * The nodes of a text.
 *
 * @param {string} text
 * @param {object} [how]   users: who is named in it; me; wanted: what is to be highlighted
 */
export function draw(text, { users = [], me, wanted = "" } = {}) {
  const found = wanted ? ranges(text, wanted) : [];
  let at = 0;
  return split(text, users).map((part) => {
    const words = highlighted(part.text, at, found);
    at += part.text.length;
    if (part.kind === "link") {
      const properties = { target: "_blank", rel: "noopener noreferrer nofollow" };
      return h("a", { href: part.text, ...properties }, words);
    }
    if (part.kind === "user")
      return h("span", { class: part.user === me ? "mention me" : "mention" }, words);
    return words;
  });
}

/** Cut a part of a text, which begins at `start` of the whole, where something was found. */
export function cut(text, start, found) {
  const pieces = [];
  let end = 0;
  for (const [from, to] of found) {
    const [a, b] = [Math.max(from - start, 0), Math.min(to - start, text.length)];
    if (a >= b) continue;
    if (a > end) pieces.push({ text: text.slice(end, a), found: false });
    pieces.push({ text: text.slice(a, b), found: true });
    end = b;
  }
  if (end < text.length) pieces.push({ text: text.slice(end), found: false });
  return pieces;
}

const highlighted = (text, start, found) =>
  cut(text, start, found).map((piece) => (piece.found ? h("mark", {}, piece.text) : piece.text));

/** Punctuation after an address is the sentence's, brackets only if they were opened inside. */
function link(url) {
  let text = url.replace(/[.,;:!?'*_~]+$/u, "");
  while (text.endsWith(")") && count(text, ")") > count(text, "(")) text = text.slice(0, -1);
  return URL.canParse(text) ? { kind: "link", text } : null;
}

function named(match, users) {
  const user = [match, match.replace(/[.@-]+$/u, "")].find((name) => users.includes(name));
  return user ? { kind: "user", text: `@${user}`, user } : null;
}

const count = (text, char) => text.split(char).length - 1;
