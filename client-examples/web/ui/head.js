/** The line above a conversation: where one is, and what can be done with the place. */

import { may } from "../parley/rights.js";
import { roomSign } from "./avatar.js";
import { openDetails } from "./details-dialog.js";
import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { iconButton } from "./icons.js";
import { isDirect, isListed, placeName } from "./place.js";
import { copyLink } from "./room-about.js";

export class Head {
  #client;
  #go;
  #place = null;
  #shown = "";
  #title = h("h2", { "data-testid": "room-title", dir: "auto" });
  #line = h("p", { dir: "auto" });
  #sign = h("span", { class: "head-sign" });
  #requests = h("span", { class: "badge", "data-testid": "requests", hidden: true });
  #buttons;

  /** @param {object} on   go(route), search() */
  constructor(client, { go, search }) {
    this.#client = client;
    this.#go = go;
    this.#buttons = {
      search: this.#button("search", "Search in this conversation (Ctrl+F)", "search", search),
      link: this.#button("link", "Copy link to this room", "copy-link", () =>
        copyLink(this.#place.id),
      ),
      details: this.#button("info", "About this room", "details", () => this.#details()),
    };
    this.#buttons.details.append(this.#requests);
    this.element = h(
      "header",
      { class: "conversation-head" },
      this.#back(),
      this.#sign,
      h("div", { class: "title" }, this.#title, this.#line),
      Object.values(this.#buttons),
    );
  }

  /** The buttons stay, so that the focus on one does. */
  show(place) {
    this.#place = place;
    const { id, info, to, people } = place;
    const waiting = may(place, "approve") ? Object.keys(people.pending?.users ?? {}).length : 0;
    const sign = JSON.stringify([id, info, to, place.peer, waiting, place.watching]);
    if (this.#shown === sign) return;
    this.#shown = sign;
    const direct = isDirect(place);
    fill(this.#sign, roomSign(info, place.to ?? place.peer));
    fill(this.#title, placeName(place));
    fill(this.#line, direct ? "Only the two of you" : about(place));
    this.#buttons.link.hidden = !isListed(info);
    this.#buttons.details.hidden = direct || !info;
    this.#buttons.search.hidden = !id;
    this.#showRequests(waiting);
  }

  #showRequests(waiting) {
    const label = waiting
      ? `About this room, ${plural(waiting, "request")} to join`
      : "About this room";
    for (const name of ["aria-label", "title"]) this.#buttons.details.setAttribute(name, label);
    this.#requests.hidden = waiting === 0;
    fill(this.#requests, String(waiting));
  }

  #button(name, label, testid, onclick) {
    return iconButton(name, label, { "data-testid": testid, onclick });
  }

  #back() {
    const properties = { class: "icon-button back", "data-testid": "back" };
    return iconButton("back", "All conversations", { ...properties, onclick: () => this.#go({}) });
  }

  #details() {
    if (!isDirect(this.#place)) openDetails(this.#client, this.#place, this.#go);
  }
}

function about({ info, watching }) {
  if (!info) return "";
  const { member_count: count, description } = info;
  return [watching && "You are looking in", plural(count, "member"), description]
    .filter(Boolean)
    .join(" · ");
}
