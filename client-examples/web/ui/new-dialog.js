/** "New": make a room, find one, or write to somebody. */

import { openDialog } from "./dialogs.js";
import { findRooms } from "./find-rooms.js";
import { field, form, userInput, usersOf } from "./forms.js";
import { roomForm } from "./room-form.js";
import { Tabs } from "./tabs.js";

/**
 * @param {object} client
 * @param {(route: object) => void} go
 * @param {"room"|"find"|"person"} [start]
 */
export function openNew(client, go, start = "room") {
  return openDialog(
    "Start talking",
    (close, dialog) => {
      const leave = (route) => {
        close();
        go(route);
      };
      let wanted;
      const make = (name) => {
        wanted = name;
        tabs.show("room");
        dialog.querySelector("input").focus();
      };
      const tabs = new Tabs(
        "What to start",
        [
          { id: "room", text: "New room", draw: () => roomForm(client, leave, wanted) },
          { id: "find", text: "Find a room", draw: () => findRooms(client, { go: leave, make }) },
          { id: "person", text: "Write", draw: () => personForm(client, leave) },
        ],
        "new-tab",
      );
      tabs.show(start);
      queueMicrotask(() => dialog.querySelector(".tab-panel input")?.focus());
      return tabs.element;
    },
    "new-dialog",
  );
}

function personForm(client, leave) {
  const input = userInput({ required: true, "data-testid": "person-id", placeholder: "bob" });
  const submit = async () => {
    const [user] = usersOf(input.value);
    if (user === client.me) throw new Error("That is you.");
    leave({ user });
  };
  return form(
    [field("User name", input, "Only the two of you can read it.")],
    { text: "Start", testid: "start-person" },
    submit,
  );
}
