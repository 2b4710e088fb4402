/** The ways out of a room, each with its question before. */

import { heirOf } from "../parley/people.js";
import { confirm, openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { field, form } from "./forms.js";
import { isListed } from "./place.js";
import { complain } from "./toasts.js";

/**
 * @param {object} client
 * @param {object} room
 * @param {(route: object) => void} go   called when she is out
 */
export async function leaveRoom(client, room, go) {
  const { name } = room.info;
  const lines = [consequence(room), heirWords(client, room), unsentWords(client, room)];
  const text = lines.filter(Boolean).map((line) => h("p", { dir: "auto" }, line));
  if (!(await confirm(`Leave ${name}?`, text, "Leave"))) return;
  await out(go, async () => {
    await client.memberships.leave(room.id);
    client.discardAll(room);
  });
}

export function stopWatching(client, room, go) {
  return out(go, () => client.memberships.unwatch(room.id));
}

async function out(go, work) {
  try {
    await work();
    go({});
  } catch (problem) {
    complain(problem);
  }
}

const consequence = ({ info }) =>
  isListed(info)
    ? "You stop receiving what is said here. You can join again."
    : "You stop receiving what is said here. To come back you need an invitation.";

function heirWords(client, room) {
  if (room.membership?.role !== "owner") return null;
  const heir = heirOf(room, client.me);
  if (heir === null) return "You are the last one here. Who comes in next will own it.";
  if (heir) return `${heir} will own the room.`;
  return "The admin who has been here longest will own the room; without one, the member who has.";
}

const unsentWords = (client, room) =>
  client.pending(room).length ? "What you have not sent yet is discarded." : null;

/** Delete a room for everybody; its name has to be typed, so that it is not done by mistake. */
export function deleteRoom(client, room, go) {
  const { name } = room.info;
  return openDialog(
    `Delete ${name}?`,
    (close) => {
      const input = h("input", {
        "data-testid": "delete-name",
        autocomplete: "off",
        spellcheck: "false",
      });
      const submit = async () => {
        if (input.value.trim() !== name.trim())
          throw new Error("That is not the name of this room.");
        await client.memberships.delete(room.id);
        client.discardAll(room);
        close();
        go({});
      };
      const body = form(
        [
          h("p", {}, "Everything said in it is erased, for everybody and for good."),
          field(`Type its name to go on: ${name}`, input),
        ],
        { text: "Delete for everybody", testid: "delete-submit" },
        submit,
      );
      body.querySelector(".primary").className = "danger";
      return body;
    },
    "delete-dialog",
  );
}
