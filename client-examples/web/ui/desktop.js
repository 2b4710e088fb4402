/**
 * Notifications of the operating system, for those who asked for them; only while she looks at no
 * tab of this page.
 *
 * The server puts into the inbox what came while no page was open. What is said while one is open,
 * but hidden, the page hears itself.
 */

import { mentions } from "../parley/unread.js";
import { routeOf } from "./inbox-words.js";
import { Looking } from "./looking.js";
import { bodyText } from "./notices.js";
import { placeName } from "./place.js";

/** @returns {"unsupported"|"default"|"granted"|"denied"} */
export const desktopState = () => globalThis.Notification?.permission ?? "unsupported";

/** Ask the user. To be called for a click of hers: browsers refuse to ask otherwise. */
export async function allowDesktop() {
  await globalThis.Notification?.requestPermission();
}

export class Desktop {
  #client;
  #go;
  #looking;

  /**
   * @param {object} client
   * @param {(route: object) => void} go
   */
  constructor(client, go) {
    this.#client = client;
    this.#go = go;
    this.#looking = new Looking(client);
    client.on("said", (room, message) => this.#said(room, message));
    client.on("news", (notification) => this.#news(notification));
  }

  /** What is said to this user: between two, or with her name. */
  #said(room, message) {
    const { me, inbox } = this.#client;
    const direct = room.info?.type === "direct";
    if (inbox.mutes(room.id) || !(direct || mentions(message, me))) return;
    const title = direct ? message.from : `${message.from} · ${placeName(room)}`;
    const route = { room: room.id, message: message.id };
    this.#show(title, bodyText(message.content), message.id, route);
  }

  #news(notification) {
    const { title, body, data } = notification.content;
    const route = routeOf(notification);
    // The same message, if the page heard it as well, is the same notification.
    this.#show(title, body, data?.message_id ?? notification.id, route, notification);
  }

  async #show(title, body, tag, route, notification) {
    if (desktopState() !== "granted" || (await this.#looking.anywhere())) return;
    let shown;
    try {
      // Two tabs that are hidden say the same thing once: the desktop shows one of each tag.
      shown = new Notification(title, { body, tag, icon: "style/icon.svg" });
    } catch {
      return; // Chrome on Android leaves it to service workers
    }
    shown.onclick = () => {
      window.focus();
      shown.close();
      if (notification?.seq) this.#client.inbox.read([notification.id]).catch(() => {});
      if (route) this.#go(route);
    };
  }
}
