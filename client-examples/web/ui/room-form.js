/** Making a room. */

import { changesOf } from "../parley/changes.js";
import { h } from "./dom.js";
import { choice, field, form, userInput, usersOf } from "./forms.js";
import { DEFAULTS, SettingsFields } from "./settings-fields.js";

const KINDS = [
  ["public", "Public", "Everybody finds it and joins, or looks in first."],
  ["private", "Private", "Owner and admins invite. Who joins sees what is said from then on."],
  ["group", "Group", "Every member invites. Who joins sees what is said from then on."],
];

/** The fields for name and description, here and where a room is edited. */
export function nameFields({ name = "", description = "" } = {}) {
  const title = h("input", {
    maxlength: "80",
    required: true,
    value: name,
    "data-testid": "room-name",
    placeholder: "Lunch plans",
    autocomplete: "off",
  });
  const about = h("textarea", {
    maxlength: "500",
    rows: "2",
    "data-testid": "room-description",
    autocomplete: "off",
  });
  about.value = description;
  return { name: title, description: about };
}

/**
 * @param {object} client
 * @param {(route: object) => void} leave   close the window and go there
 * @param {string} [wanted]   a name that was looked for in vain
 */
export function roomForm(client, leave, wanted) {
  const { name, description } = nameFields({ name: wanted });
  const members = userInput({ "data-testid": "room-members", placeholder: "bob, carol" });
  const settings = new SettingsFields(DEFAULTS, "public");
  const kinds = choice("Who may come in", "room-type", KINDS, () => settings.of(type()));
  const type = () => kinds.querySelector(":checked").value;
  const submit = async () => {
    const request = { name: name.value.trim(), type: type() };
    if (description.value.trim()) request.description = description.value.trim();
    const users = usersOf(members.value);
    if (users.length) request.members = users;
    const defaults = { ...DEFAULTS, is_private: type() !== "public" };
    const changed = changesOf(defaults, settings.values())?.settings;
    if (changed) request.settings = changed;
    leave({ room: (await client.memberships.create(request)).id });
  };
  const fields = [
    field("Name", name),
    kinds,
    field(
      "Members",
      members,
      "User names with commas between them; they are in at once. Optional.",
    ),
    field("Description", description, "What it is about. Optional."),
    h(
      "details",
      { class: "more-settings" },
      h("summary", { "data-testid": "more-settings" }, "Settings"),
      settings.element,
    ),
  ];
  return form(fields, { text: "Create room", testid: "create-room" }, submit);
}
