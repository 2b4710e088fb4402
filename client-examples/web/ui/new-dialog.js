/** "New": make a room, join one, or write to somebody. */

import { openDialog } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { sentence } from "./format.js";
import { roomOfLink } from "./route.js";

const USER = /^[A-Za-z0-9._@-]{1,64}$/;

const KINDS = [
  ["public", "Public", "Anyone with the link joins."],
  ["private", "Private", "Only the people you name."],
  ["group", "Group", "The people you name."],
];

/**
 * @param {object} client
 * @param {(route: object) => void} go
 */
export function openNew(client, go) {
  return openDialog(
    "Start talking",
    (close) => {
      const leave = (route) => {
        close();
        go(route);
      };
      const body = h("div", {});
      const choices = [
        ["room", "New room", () => roomForm(client, leave)],
        ["join", "Join a room", () => joinForm(leave)],
        ["person", "Write to one", () => personForm(client, leave)],
      ];
      return [tabs(choices, body), body];
    },
    "new-dialog",
  );
}

function tabs(choices, body) {
  const choose = (button, draw) => {
    for (const other of bar.children) other.setAttribute("aria-pressed", String(other === button));
    fill(body, draw());
    body.querySelector("input")?.focus();
  };
  const buttons = choices.map(([id, text, draw]) => {
    const button = h(
      "button",
      { type: "button", "data-testid": `new-tab-${id}`, onclick: () => choose(button, draw) },
      text,
    );
    return button;
  });
  const bar = h(
    "div",
    { class: "segments", role: "group", "aria-label": "What to start" },
    buttons,
  );
  queueMicrotask(() => choose(buttons[0], choices[0][2]));
  return bar;
}

function roomForm(client, leave) {
  const name = h("input", {
    maxlength: "80",
    required: true,
    "data-testid": "room-name",
    placeholder: "Lunch plans",
    autocomplete: "off",
  });
  const about = h("input", {
    maxlength: "500",
    "data-testid": "room-description",
    autocomplete: "off",
  });
  const members = h("input", {
    "data-testid": "room-members",
    placeholder: "bob, carol",
    autocapitalize: "none",
    autocomplete: "off",
    spellcheck: "false",
  });
  const kinds = h(
    "fieldset",
    { class: "kinds" },
    h("legend", {}, "Who may come in"),
    KINDS.map(([value, title, text], at) =>
      h(
        "label",
        {},
        h("input", {
          type: "radio",
          name: "type",
          value,
          checked: at === 0,
          "data-testid": `room-type-${value}`,
        }),
        h("span", {}, h("b", {}, title), h("small", {}, text)),
      ),
    ),
  );
  const submit = async () => {
    const request = { name: name.value.trim(), type: kinds.querySelector(":checked").value };
    if (about.value.trim()) request.description = about.value.trim();
    const users = usersOf(members.value);
    if (users.length) request.members = users;
    leave({ room: (await client.createRoom(request)).id });
  };
  return form(
    [
      field("Name", name),
      kinds,
      field("Members", members, "User names with commas between them. Optional."),
      field("What it is about", about, "Optional."),
    ],
    "Create room",
    "create-room",
    submit,
  );
}

function joinForm(leave) {
  const input = h("input", {
    required: true,
    "data-testid": "join-room-id",
    autocomplete: "off",
    spellcheck: "false",
  });
  const submit = () => {
    const id = roomOfLink(input.value.trim());
    if (!id) throw new Error("This is neither a link to a room nor the id of one.");
    leave({ room: id, join: true });
  };
  return form(
    [field("Link or id of the room", input, "Members of a public room copy the link at its top.")],
    "Open room",
    "join-room",
    submit,
  );
}

function personForm(client, leave) {
  const input = h("input", {
    required: true,
    "data-testid": "person-id",
    placeholder: "bob",
    autocapitalize: "none",
    autocomplete: "off",
    spellcheck: "false",
  });
  const submit = () => {
    const [user] = usersOf(input.value);
    if (user === client.me) throw new Error("That is you.");
    leave({ user });
  };
  return form(
    [field("User name", input, "Only the two of you can read it.")],
    "Start",
    "start-person",
    submit,
  );
}

/** @throws {Error} naming what cannot be a user */
function usersOf(text) {
  const users = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = users.find((user) => !USER.test(user));
  if (wrong) throw new Error(`"${wrong}" cannot be a user name: only letters, digits and . _ @ -`);
  return users;
}

const field = (label, input, hint) =>
  h("label", { class: "field" }, h("span", {}, label), input, hint && h("small", {}, hint));

function form(fields, action, testid, submit) {
  const error = h("p", { class: "form-error", role: "alert", "data-testid": "form-error" });
  const button = h("button", { class: "primary", "data-testid": testid }, action);
  const onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    error.textContent = "";
    try {
      await submit();
    } catch (problem) {
      error.textContent = sentence(problem.message);
    }
    button.disabled = false;
  };
  return h("form", { onsubmit }, fields, error, h("div", { class: "dialog-actions" }, button));
}
