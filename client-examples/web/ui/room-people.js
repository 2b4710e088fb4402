/** The people of a room: members page by page, who waits, who is banned, and inviting. */

import { hasMore, listed } from "../parley/people.js";
import { may } from "../parley/rights.js";
import { fill, h, keepingFocus, reconcile } from "./dom.js";
import { field, form, userInput, usersOf } from "./forms.js";
import { drawPerson, personRow } from "./person-row.js";
import { roving, rowKeys } from "./roving.js";
import { complain } from "./toasts.js";

/** Lists in their order, each for those who may do something about it. */
const LISTS = [
  { state: "pending", title: "Ask to join", event: "approve" },
  { state: "member", title: "Members", event: "members" },
  { state: "invited", title: "Invited", event: "kick" },
  { state: "banned", title: "Banned", event: "unban" },
];

const MEMBERS = LISTS.findIndex(({ state }) => state === "member");

export class RoomPeople {
  #client;
  #room;
  #lists;
  #leave;
  #timer;

  constructor(client, room, leave) {
    this.#client = client;
    this.#room = room;
    this.#leave = leave;
    this.#lists = LISTS.map((list) => this.#list(list));
    this.element = h(
      "div",
      { class: "people-page" },
      may(room, "invite") && this.#invitation(),
      this.#lists.map((list) => list.element),
    );
  }

  /** Load the first page of each list. */
  load() {
    this.show();
    for (const { state, event } of LISTS)
      if (may(this.#room, event)) this.#client.roster.load(this.#room, state).catch(complain);
  }

  show() {
    clearTimeout(this.#timer);
    for (const list of this.#lists) this.#draw(list);
    const ends = (listed(this.#room) ?? []).map(
      ({ muted_until: end }) => Date.parse(end) - Date.now(),
    );
    const next = Math.min(...ends.filter((left) => left > 0));
    // A sign that somebody is muted goes by itself.
    if (next < 2 ** 31)
      this.#timer = setTimeout(() => this.element.isConnected && this.show(), next);
  }

  #list({ state, title, event }) {
    const heading = h("h3", { tabindex: "-1" });
    const rows = h("ul", { class: "people", "data-testid": `people-${state}` });
    const more = h(
      "button",
      { type: "button", "data-testid": `more-${state}`, onclick: () => this.#more(state, rows) },
      "Show more",
    );
    const element = h("section", {}, heading, rows, more);
    rows.setAttribute("aria-label", title);
    // Members may be many: their menus are one stop for Tab.
    const rove = state === "member" ? roving(rows, ".person-menu") : void rowKeys(rows);
    return { state, title, event, heading, rows, more, element, rove };
  }

  #draw({ state, title, event, heading, rows, more, element, rove }) {
    const people = may(this.#room, event) ? listed(this.#room, state) : undefined;
    element.hidden = state !== "member" && !people?.length;
    const otherwise = this.#lists[MEMBERS].heading;
    if (element.hidden)
      return void keepingFocus(rows, () => reconcile(rows, [], () => {}), otherwise);
    const hidden = hasMore(this.#room, state);
    const number = state === "member" ? this.#room.info.member_count : (people?.length ?? 0);
    fill(heading, `${title} (${number}${hidden && state !== "member" ? "+" : ""})`);
    const { me, presence } = this.#client;
    const here = presence.in(this.#room.id);
    const items = (people ?? []).map((person) => personRow(this.#room, person, me, here));
    const act = { client: this.#client, room: this.#room, leave: this.#leave };
    keepingFocus(rows, () => reconcile(rows, items, (item) => drawPerson(item, act)), heading);
    more.hidden = !hidden;
    rove?.();
  }

  async #more(state, rows) {
    const known = rows.children.length;
    try {
      await this.#client.roster.more(this.#room, state);
      this.show();
      // Where the button was, the list goes on; or the button is still there.
      if (document.activeElement === document.body)
        rows.children[known]?.querySelector("button")?.focus();
    } catch (problem) {
      complain(problem);
    }
  }

  #invitation() {
    const input = userInput({ required: true, "data-testid": "invite-user", placeholder: "bob" });
    const said = h("p", { role: "status", class: "muted", "data-testid": "invited" });
    const submit = async () => {
      const users = usersOf(input.value);
      for (const user of users) await this.#client.moderation.invite(this.#room, user);
      said.textContent = `Invited: ${users.join(", ")}`;
      input.value = "";
    };
    return h(
      "div",
      { class: "inline-form" },
      form(
        [field("Invite by user name", input), said],
        { text: "Invite", testid: "invite" },
        submit,
      ),
    );
  }
}
