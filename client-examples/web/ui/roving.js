/** Arrow keys in a group of things of which Tab stops at one. */

const STEPS = {
  vertical: { ArrowUp: -1, ArrowDown: 1 },
  horizontal: { ArrowLeft: -1, ArrowRight: 1 },
};

/**
 * Make the group's items one stop for Tab; arrows, Home and End move among them.
 *
 * @param {Element} group
 * @param {string} selector   of an item
 * @param {object} [options]   direction, and cycle: whether the end leads to the start
 * @returns {() => void} to be called when items have come or gone
 */
export function roving(group, selector, { direction = "vertical", cycle = false } = {}) {
  let current = null;
  const items = () => [...group.querySelectorAll(selector)];
  const update = () => {
    const all = items();
    const stop = all.find((item) => item === current) ?? chosen(all) ?? all[0];
    for (const item of all) item.tabIndex = item === stop ? 0 : -1;
  };
  group.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (!item || item === current) return;
    current = item;
    update();
  });
  group.addEventListener("keydown", (event) => {
    const all = items();
    const to = target(all, all.indexOf(event.target), event, STEPS[direction], cycle);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  update();
  return update;
}

const chosen = (items) =>
  items.find((item) => item.ariaSelected === "true" || item.hasAttribute("aria-current"));

function target(items, at, { key, ctrlKey, metaKey, altKey }, steps, cycle) {
  if (at < 0 || ctrlKey || metaKey || altKey) return undefined;
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  if (!(key in steps)) return undefined;
  const to = at + steps[key];
  return cycle ? items.at(to % items.length) : items[Math.max(0, Math.min(to, items.length - 1))];
}

/** Arrow keys from row to row of a list whose rows have buttons of their own. */
export function rowKeys(list) {
  list.addEventListener("keydown", (event) => {
    const step = STEPS.vertical[event.key];
    const row = event.target.closest("li");
    if (!step || !row || event.target.matches("input, textarea")) return;
    event.preventDefault();
    const controls = (of) => [...of.querySelectorAll("button, a[href]")];
    const at = controls(row).indexOf(event.target);
    const next = step < 0 ? row.previousElementSibling : row.nextElementSibling;
    const there = next ? controls(next) : [];
    (there[at] ?? there.at(-1))?.focus();
  });
  return list;
}
