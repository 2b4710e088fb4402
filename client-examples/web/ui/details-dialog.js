/** What there is to know about a room, and the way out of it. */

import { avatar } from "./avatar.js";
import { confirm, openDialog, toast } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { sentence } from "./format.js";
import { linkOf } from "./route.js";

const KIND = {
  public: "Public: anyone with the link joins.",
  private: "Private: only the people who were named.",
  group: "Group: the people who were named.",
  direct: "Only the two of you can read this.",
};

/**
 * @param {object} client
 * @param {object} room
 * @param {(route: object) => void} go
 */
export function openDetails(client, room, go) {
  const { info } = room;
  const direct = info.type === "direct";
  return openDialog(
    direct ? client.rooms.peer(room) : info.name,
    (close) => [
      info.description && h("p", {}, info.description),
      h("p", { class: "muted" }, KIND[info.type]),
      info.type === "public" && shareLink(room),
      people(client, info, (user) => {
        close();
        go({ user });
      }),
      !direct && leaving(client, room, close, go),
    ],
    "details-dialog",
  );
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

function people(client, info, write) {
  if (!info.members) return h("p", {}, `${info.member_count} members`);
  const row = (user) =>
    h(
      "li",
      {},
      avatar(user, "small"),
      h("span", {}, user, user === client.me && " (you)"),
      user === info.owner && h("small", {}, "owner"),
      user !== client.me &&
        info.type !== "direct" &&
        h("button", { type: "button", class: "link-button", onclick: () => write(user) }, "Write"),
    );
  return [
    h("h3", {}, `Members (${info.member_count})`),
    h("ul", { class: "people", "data-testid": "members" }, [...info.members].sort().map(row)),
  ];
}

function leaving(client, room, close, go) {
  const leave = async () => {
    const text = "You stop receiving what is said here. Messages you have not sent are discarded.";
    if (!(await confirm(`Leave ${room.info.name}?`, text, "Leave"))) return;
    try {
      await client.leaveRoom(room);
      close();
      go({});
    } catch (error) {
      toast(sentence(error.message));
    }
  };
  return h(
    "div",
    { class: "dialog-actions" },
    h(
      "button",
      { type: "button", class: "danger quiet", "data-testid": "leave-room", onclick: leave },
      icon("leave"),
      "Leave room",
    ),
  );
}
