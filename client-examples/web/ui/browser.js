/** What the browser offers, with a substitute where it does not. */

import { MemoryStorage } from "../parley/outbox.js";

/** Storage is refused in some private windows; then it lasts as long as the page. */
function storage(name) {
  try {
    window[name].setItem("parley:probe", "1");
    window[name].removeItem("parley:probe");
    return window[name];
  } catch {
    return new MemoryStorage();
  }
}

/** Of the device: survives the tab. */
export const device = storage("localStorage");

/** Of this tab: survives a reload. */
export const tab = storage("sessionStorage");
