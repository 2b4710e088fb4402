/**
 * Who is signed in here.
 *
 * Kept for the tab and for the device: two tabs may be two people (to try things
 * out), and a new tab begins as whoever signed in last.
 */

import { userOfToken } from "../parley/ids.js";
import { device, tab } from "./browser.js";

const KEY = "parley:session";
const DEV_LOGIN = "/dev/login";

/**
 * @typedef {object} Session
 * @property {string} user
 * @property {string} token
 * @property {string} [name]   signed in by name, so a new token can be had the same way
 */

/** @returns {Session|null} */
export function remembered() {
  const fresh = new URLSearchParams(location.search).has("fresh");
  return fromAddress() ?? read(tab) ?? (fresh ? null : read(device));
}

export function remember(session) {
  for (const storage of [tab, device]) storage.setItem(KEY, JSON.stringify(session));
}

/** @param {Session} session  the device forgets it too, unless somebody else signed in since */
export function forget(session) {
  tab.removeItem(KEY);
  if (read(device)?.user === session.user) device.removeItem(KEY);
}

/** Call `listener` when this user signs out in another tab. */
export function onSignedOut(session, listener) {
  addEventListener("storage", (event) => {
    if (event.key !== KEY || event.newValue || !event.oldValue) return;
    if (JSON.parse(event.oldValue).user === session.user) listener();
  });
}

/** @returns {Session|null} null if this is no token */
export function fromToken(token) {
  const user = userOfToken(token.trim());
  return user ? { user, token: token.trim() } : null;
}

/** `#token=…` signs in with one click; the part after # never leaves the browser. */
function fromAddress() {
  if (!location.hash.startsWith("#token=")) return null;
  const session = fromToken(decodeURIComponent(location.hash.slice("#token=".length)));
  history.replaceState(null, "", location.pathname + location.search);
  if (session) remember(session);
  return session;
}

/** Whether the server lets anybody in by name (development only). */
export async function canUseName() {
  try {
    return (await fetch(DEV_LOGIN)).ok;
  } catch {
    return false;
  }
}

/** @returns {Promise<Session>} */
export async function byName(name) {
  const response = await fetch(DEV_LOGIN, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(problem(answer) ?? "The server did not accept this name.");
  return { user: answer.user_id, token: answer.token, name };
}

/** What exactly was wrong, else what in general. */
const problem = ({ error }) => error?.details?.errors?.[0]?.message ?? error?.message;

function read(storage) {
  try {
    return JSON.parse(storage.getItem(KEY));
  } catch {
    return null;
  }
}
