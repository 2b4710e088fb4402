/** The line above a conversation: where one is, and what can be done with the place. */

import { may } from "../parley/rights.js";
import { roomSign } from "./avatar.js";
import { openDetails } from "./details-dialog.js";
import { fill, h } from "./dom.js";
import { plural } from "./format.js";
import { iconButton } from "./icons.js";
import { canMute, setMute } from "./mute.js";
import { isDirect, isListed, placeName } from "./place.js";
import { presenceWords, withDot } from "./presence-words.js";
import { copyLink } from "./room-about.js";

const BETWEEN_TWO = "Only the two of you";
const EVERY_MINUTE = 60_000; // ms

export class Head {
  #client;
  #go;
  #place = null;
  #shown = "";
  #title = h("h2", { "data-testid": "room-title", dir: "auto" });
  #line = h("p", { dir: "auto", "data-testid": "room-line" });
  #sign = h("span", { class: "head-sign" });
  #requests = h("span", { class: "badge", "data-testid": "requests", hidden: true });
  #buttons;

  /** @param {object} on   go(route), search() */
  constructor(client, { go, search }) {
    this.#client = client;
    this.#go = go;
    this.#buttons = {
      search: this.#button("search", "Search in this conversation (Ctrl+F)", "search", search),
      mute: this.#button("bell-off", "Mute this conversation", "mute", () => this.#mute()),
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
    // "Last seen 5 minutes ago" is another word a minute later.
    setInterval(() => this.element.isConnected && this.show(this.#place), EVERY_MINUTE);
  }

  /** The buttons stay, so that the focus on one does. */
  show(place) {
    this.#place = place;
    const { id, info, to, people } = place;
    const waiting = may(place, "approve") ? Object.keys(people.pending?.users ?? {}).length : 0;
    const direct = isDirect(place);
    const peer = place.to ?? place.peer;
    const presence = direct ? this.#client.presence.of(peer) : undefined;
    const line = direct ? (presenceWords(presence) ?? BETWEEN_TWO) : about(place, this.#here());
    const status = presence?.status;
    const { inbox } = this.#client;
    const muted = direct && canMute(this.#client, place) ? inbox.mutes(id) : null;
    const sign = JSON.stringify([id, info, to, peer, waiting, line, status, muted]);
    if (this.#shown === sign) return;
    this.#shown = sign;
    fill(this.#sign, withDot(roomSign(info, peer), status));
    fill(this.#title, placeName(place));
    fill(this.#line, line);
    // Other rooms have it in the window about them.
    this.#buttons.mute.hidden = muted === null;
    this.#buttons.mute.setAttribute("aria-pressed", String(muted));
    this.#buttons.link.hidden = !isListed(info);
    this.#buttons.details.hidden = direct || !info;
    this.#buttons.search.hidden = !id;
    this.#showRequests(waiting);
  }

  #mute() {
    setMute(this.#client, this.#place, !this.#client.inbox.mutes(this.#place.id));
  }

  #here() {
    return this.#client.presence.in(this.#place.id)?.online;
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

/** Of a room, with how many are here if that is known. */
function about({ info, watching }, here) {
  if (!info) return "";
  const { member_count: count, description } = info;
  const people = here === undefined ? plural(count, "member") : `${here} of ${count} here`;
  return [watching && "You are looking in", people, description]
    .filter(Boolean)
    .join(" · ");
}
