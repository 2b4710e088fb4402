/** Everything about a room in a window that follows its changes. */

import { may } from "../parley/rights.js";
import { openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { placeName } from "./place.js";
import { aboutRoom } from "./room-about.js";
import { RoomPeople } from "./room-people.js";
import { roomSettings } from "./room-settings.js";
import { Tabs } from "./tabs.js";

/**
 * @param {object} client
 * @param {object} room   not a direct one: of that the head says all
 * @param {(route: object) => void} go
 */
export function openDetails(client, room, go) {
  const stops = [];
  const closed = openDialog(
    placeName(room),
    (close, dialog) => {
      dialog.classList.add("wide");
      const leave = (route) => {
        close();
        go(route);
      };
      const details = new Details(client, room, leave);
      const title = () => dialog.querySelector("h2").replaceChildren(placeName(room));
      const gone = (id) => id === room.id && close();
      const changed = (other) => {
        if (other !== room) return;
        title();
        details.show();
      };
      stops.push(
        client.on("change", changed),
        client.on("removed", gone),
        client.on("presence", () => details.show()),
        client.on("inbox", () => details.show()),
      );
      return details.element;
    },
    "details-dialog",
  );
  closed.then(() => stops.forEach((stop) => stop()));
  return closed;
}

/** The pages of the window; the one in front is kept up to date. */
class Details {
  #client;
  #room;
  #leave;
  #people;
  #about = h("div", { class: "about" });
  #tabs;

  constructor(client, room, leave) {
    this.#client = client;
    this.#room = room;
    this.#leave = leave;
    const pages = [
      { id: "about", text: "About", draw: () => this.#drawAbout() },
      may(room, "members") && { id: "people", text: "People", draw: () => this.#drawPeople() },
      may(room, "update_room") && {
        id: "settings",
        text: "Settings",
        draw: () => roomSettings(client, room),
      },
    ].filter(Boolean);
    this.#tabs = new Tabs("About this room", pages, "details-tab");
    this.#tabs.show("about");
    this.show();
    this.element = pages.length > 1 ? this.#tabs.element : this.#about;
  }

  show() {
    const { info, people } = this.#room;
    const waiting = Object.keys(people.pending?.users ?? {}).length;
    const requests = waiting > 0 && may(this.#room, "approve") && badge(waiting);
    this.#tabs.rename("people", `People (${info.member_count})`, requests);
    if (this.#tabs.shown === "people") this.#people.show();
    if (this.#tabs.shown === "about") this.#drawAbout();
  }

  #drawAbout() {
    return aboutRoom(this.#about, this.#client, this.#room, this.#leave);
  }

  #drawPeople() {
    this.#people ??= new RoomPeople(this.#client, this.#room, this.#leave);
    this.#people.load();
    return this.#people.element;
  }
}

const badge = (waiting) => [
  h("span", { class: "badge" }, String(waiting)),
  h("span", { class: "hidden" }, " waiting"),
];
