/** Editing a room. Who else edits it meanwhile is not overruled unseen. */

import { changesOf, differences, formOf, rebased } from "../parley/changes.js";
import { h, fill } from "./dom.js";
import { field, form } from "./forms.js";
import { nameFields } from "./room-form.js";
import { SETTING_NAMES, SettingsFields, settingWords } from "./settings-fields.js";
import { toast } from "./toasts.js";

const FIELDS = Object.keys(SETTING_NAMES);

/**
 * @param {object} client
 * @param {object} room
 */
export function roomSettings(client, room) {
  let base = editable(room.info);
  let { rev } = room.info;
  const { name, description } = nameFields(room.info);
  const settings = new SettingsFields(base, room.info.type);
  const others = h("div", {
    class: "conflict",
    role: "alert",
    "data-testid": "conflict",
    hidden: true,
  });
  const mine = () => ({
    name: name.value.trim(),
    description: description.value.trim(),
    ...settings.values(),
  });
  const show = (values) => {
    name.value = values.name;
    description.value = values.description;
    settings.show(values);
  };
  /** Somebody was faster: say what is different, keep what this user wrote. */
  const meet = async () => {
    const view = await client.memberships.look(room.id);
    const theirs = editable(view.room);
    const written = mine();
    fill(others, conflictWords(differences(base, theirs, written)));
    others.hidden = false;
    show(rebased(base, theirs, written));
    base = theirs;
    rev = view.room.rev;
  };
  const submit = async () => {
    const changes = changesOf(base, mine());
    others.hidden = true;
    if (!changes) throw new Error("Nothing is different.");
    try {
      const view = await client.moderation.update(room, changes, rev);
      client.rooms.describe(view);
      base = editable(view.room);
      rev = view.room.rev;
      toast("Saved.");
    } catch (problem) {
      if (problem.code !== "conflict") throw problem;
      await meet();
    }
  };
  const fields = [field("Name", name), field("Description", description), settings.element, others];
  return form(fields, { text: "Save", testid: "save-room" }, submit);
}

/** What this form edits, of a room as it is. */
function editable(info) {
  const all = formOf(info);
  return Object.fromEntries(FIELDS.map((name) => [name, all[name]]));
}

function conflictWords(changed) {
  const line = ({ field: name, theirs, mine, touched }) => {
    const now = `${SETTING_NAMES[name]} is now ${settingWords(name, theirs)}`;
    return h(
      "li",
      { dir: "auto" },
      touched ? `${now}; yours: ${settingWords(name, mine)}.` : `${now}.`,
    );
  };
  return [
    h("p", {}, h("b", {}, "Somebody changed the room while you did.")),
    h("ul", {}, changed.map(line)),
    h("p", {}, "What you wrote is kept. Save again to have it so."),
  ];
}
