/** Building the page: elements with properties, lists that keep their nodes. Text is always text. */

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {object} properties   `on…` functions listen, `class` and `data-…` are attributes,
 *   booleans switch attributes on and off, null and undefined are left out
 * @param {...(Node|string|null|undefined|false|Array)} children
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  set(element, properties);
  element.append(...nodes(children));
  return element;
}

/** Set properties as `h` does, on an element that is there. */
export function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    // `void`: a listener that returns false would cancel what the event does.
    if (typeof value === "function") element[name] = (event) => void value(event);
    else if (value === null || value === undefined || value === false)
      element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Replace what is inside an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child || child === 0);
}

/**
 * Make the children of `parent` show `items`, touching only what changed.
 *
 * Nodes survive with their focus and their place on the screen. An item is drawn
 * again when its JSON differs, so items hold data only.
 *
 * @param {Element} parent
 * @param {{key: string}[]} items   keys are unique
 * @param {(item: object) => Element} draw
 */
export function reconcile(parent, items, draw) {
  const old = parent.drawn ?? new Map();
  const now = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const sign = JSON.stringify(item);
    const known = old.get(item.key);
    const node = known?.sign === sign ? known.node : redrawn(known?.node, draw(item));
    if (known && known.node !== node && place === known.node) place = node;
    now.set(item.key, { sign, node });
    old.delete(item.key);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const { node } of old.values()) node.remove();
  parent.drawn = now;
}

/** Put a new node where the old one was, with the focus it had. */
function redrawn(before, after) {
  if (!before?.isConnected) return after;
  const focused = before.contains(document.activeElement) ? document.activeElement : null;
  const id = focused?.dataset.testid;
  before.replaceWith(after);
  if (focused === before) after.focus({ preventScroll: true });
  else if (id)
    after.querySelector(`[data-testid="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  return after;
}

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
