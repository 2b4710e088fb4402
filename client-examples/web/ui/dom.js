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

let ids = 0;

/** An id for an element that another one names. */
export const newId = (word) => `${word}-${(ids += 1)}`;

/** Replace what is inside an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/**
 * Change what is inside an element; a focus that gets lost by that goes to what is near.
 *
 * @param {Element} element
 * @param {() => void} change
 * @param {Element} [otherwise]   where it goes if nothing is left
 */
export function keepingFocus(element, change, otherwise) {
  const controls = () => [...element.querySelectorAll("button, a[href], input")];
  const at = controls().indexOf(document.activeElement);
  change();
  if (at < 0 || element.contains(document.activeElement)) return;
  const left = controls();
  (left[Math.min(at, left.length - 1)] ?? otherwise)?.focus();
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
