/** Notifications as rows: what they say, and where they lead. Pure. */

import { shortTime } from "./format.js";
import { hashOf } from "./route.js";

/** @returns {{room: string, message?: string}|null} the place in this page that it is about */
export function routeOf({ content }) {
  const { room_id: room, message_id: message } = content.data ?? {};
  return typeof room === "string" ? { room, message } : null;
}

/** A row as data. */
export function inboxRow(notification) {
  const { id, content, read, timestamp } = notification;
  const { title, body, action, data = {} } = content;
  const route = routeOf(notification);
  return {
    key: id,
    title,
    body,
    from: typeof data.from === "string" ? data.from : null,
    unread: !read,
    time: shortTime(timestamp),
    route,
    href: route ? hashOf(route) : webAddress(action),
  };
}

/** What a tap does is in the application's own words: this page understands addresses of the web. */
function webAddress(action) {
  return /^https?:\/\//i.test(action ?? "") ? action : null;
}
