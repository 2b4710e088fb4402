/** The ways into rooms, as buttons: join, accept, look in, and back out again. */

import { waysIn } from "../parley/rights.js";
import { h } from "./dom.js";
import { complain, toast } from "./toasts.js";

const LABELS = {
  open: "Open",
  accept: "Accept",
  decline: "Decline",
  take_back: "Take back",
  join: "Join",
  ask: "Ask to join",
  watch: "Look in",
};

const DO = {
  accept: (client, id) => client.memberships.join(id),
  join: (client, id) => client.memberships.join(id),
  ask: (client, id) => client.memberships.join(id),
  watch: (client, id) => client.memberships.watch(id),
  decline: (client, id) => client.memberships.leave(id),
  take_back: (client, id) => client.memberships.leave(id),
};

/**
 * The buttons for a room this user is outside of, the first of them prominent.
 *
 * @param {object} client
 * @param {object} view   as `room` gives it
 * @param {object} on   go(route); done(), when something else happened
 * @param {string[]} [except]   ways that are not offered here
 */
export function entryButtons(client, view, on, except = []) {
  const ways = waysIn(view).filter((way) => !except.includes(way));
  return ways.map((way, at) =>
    h(
      "button",
      {
        type: "button",
        class: at === 0 && way !== "take_back" ? "primary" : null,
        "data-testid": way,
        "aria-label": `${LABELS[way]}: ${view.room.name}`,
        onclick: (event) => enter(client, way, view, on, event.currentTarget),
      },
      LABELS[way],
    ),
  );
}

async function enter(client, way, { room }, on, button) {
  if (way === "open") return on.go({ room: room.id });
  if (button.ariaDisabled === "true") return undefined;
  button.ariaDisabled = "true";
  try {
    const entered = await DO[way](client, room.id);
    if (entered) return on.go({ room: room.id });
    if (way === "ask" || way === "join") toast("You asked to join. Owner or admins decide.");
    return on.done?.();
  } catch (problem) {
    button.ariaDisabled = "false";
    return complain(problem);
  }
}
