/** The line above a conversation: where one is, and what can be done with the place. */

import { roomSign } from "./avatar.js";
import { copyLink, openDetails } from "./details-dialog.js";
import { fill, h, iconButton } from "./dom.js";
import { plural } from "./format.js";

/** What a room, or a conversation not begun, is called. */
export function nameOf(client, place) {
  if (place.to) return place.to;
  if (place.info?.type === "direct") return client.rooms.peer(place);
  return place.info?.name ?? "…";
}

export class Head {
  #client;
  #go;
  #shown = "";
  element = h("header", { class: "conversation-head" });

  constructor(client, go) {
    this.#client = client;
    this.#go = go;
  }

  show(place) {
    const { id, info, to } = place;
    const sign = JSON.stringify([id, info, to]);
    if (this.#shown === sign) return;
    this.#shown = sign;
    const name = nameOf(this.#client, place);
    const direct = !info || info.type === "direct";
    fill(
      this.element,
      this.#back(),
      roomSign(info, direct ? name : null),
      title(name, direct ? "Only the two of you" : about(info)),
      info?.type === "public" && link(id),
      info && this.#details(place),
    );
  }

  #back() {
    const properties = { class: "icon-button back", "data-testid": "back" };
    return iconButton("back", "All conversations", { ...properties, onclick: () => this.#go({}) });
  }

  #details(place) {
    const onclick = () => openDetails(this.#client, place, this.#go);
    return iconButton("info", "About this conversation", { "data-testid": "details", onclick });
  }
}

function title(name, line) {
  const heading = h("h2", { "data-testid": "room-title", dir: "auto" }, name);
  return h("div", { class: "title" }, heading, h("p", { dir: "auto" }, line));
}

function link(id) {
  const onclick = () => copyLink(id);
  return iconButton("link", "Copy link to this room", { "data-testid": "copy-link", onclick });
}

const about = ({ member_count: count, description }) =>
  [plural(count, "member"), description].filter(Boolean).join(" · ");
