/** What a room is, the link to it, and the ways out of it. */

import { may } from "../parley/rights.js";
import { fill, h, keepingFocus } from "./dom.js";
import { until } from "./format.js";
import { icon } from "./icons.js";
import { deleteRoom, leaveRoom, stopWatching } from "./leaving.js";
import { canMute, muteBox } from "./mute.js";
import { isListed } from "./place.js";
import { linkOf } from "./route.js";
import { toast } from "./toasts.js";

const KINDS = {
  public: "Public: everybody finds it and joins.",
  unlisted: "Unlisted: nobody finds it. Owner and admins invite.",
  private: "Private: owner and admins invite.",
  group: "Group: every member invites.",
};

/** Draw it into an element, unless it shows the same already. */
export function aboutRoom(element, client, room, leave) {
  const { inbox } = client;
  const sign = JSON.stringify([
    room.info,
    room.can,
    room.membership,
    room.watching,
    canMute(client, room) && inbox.mutes(room.id),
  ]);
  if (element.dataset.sign === sign) return element;
  element.dataset.sign = sign;
  keepingFocus(element, () => fill(element, content(client, room, leave)));
  return element;
}

function content(client, room, leave) {
  const { info } = room;
  const facts = factsOf(room).map((fact) => h("li", {}, fact));
  return [
    info.description && h("p", { dir: "auto", class: "description" }, info.description),
    h("ul", { class: "facts", "data-testid": "facts" }, facts),
    isListed(info) && shareLink(room),
    canMute(client, room) && muteBox(client, room),
    waysOut(client, room, leave),
  ];
}

/** What is not as it mostly is. */
function factsOf({ info, membership }) {
  const { settings = {}, type, owner } = info;
  const unlisted = type === "public" && settings.is_private;
  const end = membership?.muted_until;
  return [
    KINDS[unlisted ? "unlisted" : type],
    owner ? `Owned by ${owner}.` : "Nobody owns it: who comes in next does.",
    settings.require_approval && "Who is not invited asks to join.",
    settings.mute_all && "Only owner and admins write.",
    settings.allowed_types?.length < 3 && `Only ${settings.allowed_types.join(", ")} may be sent.`,
    settings.retention_days && `Messages are deleted after ${settings.retention_days} days.`,
    end &&
      Date.parse(end) > Date.now() &&
      `You are muted ${until(end) ?? "until somebody ends it"}.`,
  ].filter(Boolean);
}

function shareLink(room) {
  const copied = h("span", { role: "status" });
  const copy = async () => {
    copied.textContent = (await copyLink(room.id)) ? "Copied" : "";
  };
  return h(
    "div",
    { class: "share" },
    h("code", { "data-testid": "room-link" }, linkOf(room.id)),
    h("button", { type: "button", onclick: copy }, icon("link"), "Copy link"),
    copied,
  );
}

/** @returns {Promise<boolean>} whether it is in the clipboard */
export async function copyLink(roomId) {
  try {
    await navigator.clipboard.writeText(linkOf(roomId));
    toast("Link copied. Whoever opens it can join.");
    return true;
  } catch {
    // The clipboard is for https and localhost only: show the link instead.
    toast(linkOf(roomId));
    return false;
  }
}

function waysOut(client, room, leave) {
  const way = (testid, name, text, run) =>
    h(
      "button",
      { type: "button", class: "danger quiet", "data-testid": testid, onclick: run },
      icon(name),
      text,
    );
  const run = (work) => () => work(client, room, leave);
  return h(
    "div",
    { class: "dialog-actions" },
    room.watching && way("stop-watching", "leave", "Stop looking in", run(stopWatching)),
    !room.watching &&
      may(room, "leave_room") &&
      way("leave-room", "leave", "Leave room", run(leaveRoom)),
    may(room, "delete_room") && way("delete-room", "trash", "Delete room", run(deleteRoom)),
  );
}
