/** Muting a room: no notifications about it any more. Its messages come all the same. */

import { h } from "./dom.js";
import { checkbox } from "./forms.js";
import { complain } from "./toasts.js";

/** Whether there is anything to mute: notifications, and a room to have them about. */
export const canMute = (client, room) =>
  client.inbox.there && room.id !== undefined && room.membership?.state === "member";

/** Mute it, or end that; what could not be done is said. */
export const setMute = (client, room, muted) =>
  client.inbox.mute(room.id, muted).catch(complain);

/** A box to tick in the window about a room. */
export function muteBox(client, room) {
  const input = h("input", {
    checked: client.inbox.mutes(room.id),
    "data-testid": "mute-room",
    onchange: async () => {
      await setMute(client, room, input.checked);
      input.checked = client.inbox.mutes(room.id);
    },
  });
  const hint = "No notifications of mentions here, neither in the inbox nor on the desktop.";
  return checkbox("Mute this room", input, hint);
}
