/** Somebody in a list of people, with what can be done about her. */

import { actionsOn, isMuted } from "../parley/rights.js";
import { avatar } from "./avatar.js";
import { h } from "./dom.js";
import { until } from "./format.js";
import { icon, iconButton } from "./icons.js";
import { openMenu } from "./menu.js";
import { personActions } from "./person-actions.js";
import { withDot } from "./presence-words.js";

const ROLES = { owner: "Owner", admin: "Admin" };

/** A row as data; `presence` is what is known of the room's, if anything. */
export function personRow(room, person, me, presence) {
  const { user_id: user, name, role, state } = person;
  const muted = isMuted(person);
  return {
    key: user,
    user,
    name: name && name !== user ? name : null,
    role: state === "member" ? (ROLES[role] ?? null) : null,
    state,
    here: (state === "member" && presence?.of(user)?.status) ?? null,
    me: user === me,
    muted: muted ? `Muted ${until(person.muted_until) ?? "until unmuted"}` : null,
    actions: actionsOn(room, person, me),
  };
}

/**
 * @param {object} row   of `personRow`
 * @param {object} act   client, room, leave(route)
 */
export function drawPerson(row, act) {
  const { user, name, me, role, muted, state, here } = row;
  return h(
    "li",
    { class: "person", "data-testid": "person", "data-user": user },
    withDot(avatar(user, "small"), here),
    h(
      "div",
      { class: "person-about" },
      h("span", { dir: "auto" }, name ?? user, me && h("span", { class: "you" }, " (you)")),
      name && h("small", {}, user),
      muted &&
        h("small", { class: "muted-sign", "data-testid": "muted-sign" }, icon("mute"), muted),
    ),
    role && h("span", { class: "role", "data-testid": "role" }, role),
    state === "member" ? !me && menuButton(row, act) : buttons(row, act),
  );
}

function menuButton(row, act) {
  const { user } = row;
  const entries = () => {
    const acts = personActions(row, act);
    return [
      { text: `Write to ${user}`, testid: "act-write", run: () => act.leave({ user }) },
      ...(acts.length ? [null, ...acts] : []),
    ];
  };
  return iconButton("more", `What to do about ${user}`, {
    class: "icon-button person-menu",
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    "data-testid": "person-menu",
    onclick: (event) => openMenu(event.currentTarget, user, entries()),
  });
}

/** Who is not inside has few things done about her: they stand there. */
function buttons(row, act) {
  return h(
    "div",
    { class: "person-buttons" },
    personActions(row, act).map(({ text, testid, run, danger }, at) =>
      h(
        "button",
        {
          type: "button",
          class: danger ? "danger quiet" : at === 0 && row.state === "pending" ? "primary" : null,
          "aria-label": `${text}: ${row.user}`,
          "data-testid": testid,
          onclick: run,
        },
        text,
      ),
    ),
  );
}
