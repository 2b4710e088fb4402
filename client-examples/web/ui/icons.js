/** Icons, and the buttons that show one. */

import { h, set } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a grid of 24. */
const ICONS = {
  hash: ["M5 9h15M4 15h15M10 4 8 20M16 4l-2 16"],
  lock: ["M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3"],
  group: [
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.4a3.5 3.5 0 0 1 0 6.3M18 14.3a6.5 6.5 0 0 1 3.5 5.7",
  ],
  back: ["M15 5l-7 7 7 7"],
  plus: ["M12 5v14M5 12h14"],
  send: ["M4 12 20 4l-5 16-3.5-6.5z"],
  down: ["M12 5v14M6 13l6 6 6-6"],
  smile: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5h.01M15 9.5h.01"],
  reply: ["M9 6 4 11l5 5M4 11h9a7 7 0 0 1 7 7v1"],
  edit: ["M4 20l1-4L16 5l3 3L8 19z"],
  trash: ["M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"],
  more: ["M5 12h.01M12 12h.01M19 12h.01"],
  link: [
    "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1",
  ],
  info: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01"],
  close: ["M6 6l12 12M18 6 6 18"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2"],
  leave: ["M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9"],
  up: ["M12 19V5M6 11l6-6 6 6"],
  compass: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM15.5 8.5l-2 5-5 2 2-5z"],
  eye: [
    "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  ],
  mute: ["M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5"],
  bell: ["M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21h4"],
  "bell-off": ["M6 16.5V11a6 6 0 0 1 9.5-4.9M18 11v5.5l1.5 2h-13M10 21h4M4 4l16 16"],
  check: ["M5 12.5 10 17.5 19.5 7"],
  copy: ["M9 9h11v11H9zM15 9V4H4v11h5"],
  search: ["M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4 4"],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  set(svg, { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A button that shows an icon and says its name. */
export function iconButton(name, label, properties = {}) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, ...properties },
    icon(name),
  );
}
