/**
 * "Waiting", above the list of conversations: what wants a word of this user, and what she waits
 * for herself.
 */

import { requestsIn } from "../parley/waiting.js";
import { avatar, roomSign } from "./avatar.js";
import { h, keepingFocus, reconcile } from "./dom.js";
import { entryButtons } from "./entering.js";
import { partingWords } from "./parting-words.js";
import { rowKeys } from "./roving.js";
import { complain } from "./toasts.js";

export class WaitingList {
  #client;
  #go;
  #heading = h("h2", { tabindex: "-1" }, "Waiting");
  #list = rowKeys(h("ul", { "aria-label": "Waiting", "data-testid": "waiting" }));

  constructor(client, go) {
    this.#client = client;
    this.#go = go;
    this.element = h("section", { class: "waiting-list", hidden: true }, this.#heading, this.#list);
  }

  /** @param {object} route   what is open says the same itself */
  show(route) {
    const items = itemsOf(this.#client, route);
    keepingFocus(
      this.#list,
      () => reconcile(this.#list, items, (item) => DRAW[item.kind](item, this.#client, this.#go)),
      document.querySelector("[data-testid=new]"),
    );
    this.element.hidden = items.length === 0;
  }
}

function itemsOf(client, route) {
  const { rooms, waiting, partings } = client;
  const elsewhere = (id) => id !== route.room;
  return [
    ...partings
      .all()
      .filter(({ id }) => elsewhere(id))
      .map((parting) => ({
        kind: "parting",
        key: `parting ${parting.id}`,
        ...partingRow(client, parting),
      })),
    ...requestsIn(rooms.all()).map(({ room, person }) => ({
      kind: "request",
      key: `request ${room.id} ${person.user_id}`,
      id: room.id,
      room: room.info?.name,
      user: person.user_id,
    })),
    ...waiting
      .all()
      .filter(({ room }) => elsewhere(room.id))
      .map((view) => ({ kind: "entry", key: `entry ${view.room.id}`, view })),
  ];
}

const partingRow = (client, parting) => ({
  id: parting.id,
  text: partingWords(parting),
  unsent: client.pending({ id: parting.id }).length,
});

const DRAW = {
  entry: ({ view }, client, go) => {
    const invited = view.membership.state === "invited";
    const by = view.by ? `${view.by} invites you` : "You are invited";
    return row(
      roomSign(view.room),
      h("a", { href: `#room/${view.room.id}` }, view.room.name),
      invited ? by : "You asked to join",
      entryButtons(client, view, { go }, ["watch"]),
      invited ? "invitation" : "my-request",
    );
  },

  request: ({ id, room, user }, client) => {
    const answer = (work) => () => work(client.rooms.get(id), user).catch(complain);
    const { moderation } = client;
    return row(
      avatar(user),
      user,
      `asks to join ${room}`,
      [
        button(
          "Let in",
          `Let in: ${user}`,
          "approve",
          answer((...who) => moderation.approve(...who)),
          true,
        ),
        button(
          "Refuse",
          `Refuse: ${user}`,
          "refuse",
          answer((...who) => moderation.kick(...who)),
        ),
      ],
      "request",
    );
  },

  parting: ({ id, text, unsent }, client, go) =>
    row(
      null,
      text,
      unsent ? "You have written something there that was not sent." : "",
      [
        unsent > 0 && button("Show it", `Show it: ${text}`, "show-unsent", () => go({ room: id })),
        button("Dismiss", `Dismiss: ${text}`, "dismiss", () => client.partings.dismiss(id)),
      ],
      "parting",
    ),
};

function row(sign, title, text, buttons, testid) {
  return h(
    "li",
    { class: "waiting-row", "data-testid": testid },
    sign,
    h(
      "div",
      {},
      h("b", { dir: "auto" }, title),
      text && h("p", { dir: "auto" }, text),
      h("div", { class: "waiting-ways" }, buttons),
    ),
  );
}

const button = (text, label, testid, onclick, first) =>
  h(
    "button",
    {
      type: "button",
      class: first ? "primary" : null,
      "aria-label": label,
      "data-testid": testid,
      onclick,
    },
    text,
  );
