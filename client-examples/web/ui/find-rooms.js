/** Looking for public rooms: what is found as one types, and the ways in. */

import { roomSign } from "./avatar.js";
import { fill, h, reconcile } from "./dom.js";
import { entryButtons } from "./entering.js";
import { field, wordsOf } from "./forms.js";
import { plural } from "./format.js";
import { roomOfLink } from "./route.js";
import { rowKeys } from "./roving.js";

/**
 * @param {object} client
 * @param {object} on   go(route): close the window and go there; make(name): make it instead
 */
export function findRooms(client, on) {
  const finder = client.newFinder();
  const input = h("input", {
    type: "search",
    "data-testid": "find-input",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "80",
    oninput: () => seek(),
  });
  const properties = { class: "found", "aria-label": "Public rooms", "data-testid": "found" };
  const list = rowKeys(h("ul", properties));
  const state = h("div", { class: "found-state", role: "status", "data-testid": "found-state" });
  const more = h("button", { type: "button", onclick: () => finder.more() }, "Show more");

  const seek = () => {
    const text = input.value.trim();
    if (roomOfLink(text)) return draw();
    return finder.seek(text);
  };
  const draw = () => {
    const linked = roomOfLink(input.value.trim());
    const rows = linked
      ? [linkRow(linked)]
      : finder.found.map((view) => ({ ...view, key: view.room.id }));
    reconcile(list, rows, (row) =>
      row.link ? drawLink(row, on) : drawFound(row, client, refresh, on),
    );
    fill(state, linked ? null : words(finder, on));
    more.hidden = Boolean(linked) || !finder.next || Boolean(finder.error);
  };
  const refresh = async (id) => finder.replace(await client.memberships.look(id));
  finder.on("change", draw);
  finder.seek("", 0);
  return h(
    "div",
    { class: "find" },
    field("Name of a public room, or a link to one", input),
    state,
    list,
    more,
  );
}

const linkRow = (id) => ({ key: id, link: id });

function drawLink({ link }, { go }) {
  return h(
    "li",
    { class: "found-room" },
    h("div", { class: "found-about" }, h("b", {}, "A link to a room")),
    h(
      "button",
      {
        type: "button",
        class: "primary",
        "data-testid": "open-link",
        onclick: () => go({ room: link }),
      },
      "Open it",
    ),
  );
}

function drawFound(view, client, refresh, { go }) {
  const { room } = view;
  const title = h("b", { dir: "auto" }, room.name);
  return h(
    "li",
    { class: "found-room", "data-testid": "found-room" },
    roomSign(room),
    h(
      "div",
      { class: "found-about" },
      title,
      h("small", {}, plural(room.member_count, "member"), standing(view)),
      room.description && h("p", { dir: "auto" }, room.description),
    ),
    h(
      "div",
      { class: "found-ways" },
      entryButtons(client, view, { go, done: () => refresh(room.id) }),
    ),
  );
}

const standing = ({ membership }) =>
  ({ invited: " · you are invited", pending: " · you asked to join" })[membership?.state];

function words(finder, { make }) {
  const { busy, error, found, wanted } = finder;
  if (error) {
    return [
      h("p", { class: "form-error" }, `That did not work. ${wordsOf(error)}`),
      h("button", { type: "button", onclick: () => finder.more() }, "Try again"),
    ];
  }
  if (busy) return h("p", { class: "muted" }, "Looking…");
  if (found.length) return h("p", { class: "muted" }, counted(finder));
  return [
    h("p", {}, wanted ? `No public room is called “${wanted}”.` : "There are no public rooms yet."),
    h(
      "button",
      { type: "button", "data-testid": "make-it", onclick: () => make(wanted) },
      "Make it",
    ),
  ];
}

const counted = ({ found, next }) =>
  next ? `The first ${found.length} rooms` : plural(found.length, "room");
