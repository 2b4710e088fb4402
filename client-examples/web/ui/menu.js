/** A menu at a button: arrow keys, first letters, Escape; the focus goes back to the button. */

import { h } from "./dom.js";
import { roving } from "./roving.js";

const ITEM = "[role^=menuitem]";
const GAP = 4; // px between button and menu, and to the window's edge

/**
 * @param {Element} opener   the button
 * @param {string} label     what the menu is about
 * @param {({text: string, run: Function, sign?: Element, danger?: boolean, checked?: boolean,
 *   testid?: string}|null)[]} entries   null stands for a line between them; `checked` says which
 *   of several holds
 */
export function openMenu(opener, label, entries) {
  const menu = h(
    "div",
    { class: "menu", role: "menu", "aria-label": label, popover: "auto", "data-testid": "menu" },
    entries.map((entry) => (entry ? item(entry, () => menu.hidePopover()) : h("hr"))),
  );
  opener.setAttribute("aria-expanded", "true");
  // Inside the window it belongs to: all else is out of reach while that is open.
  (opener.closest("dialog") ?? document.body).append(menu);
  menu.addEventListener("toggle", (event) => event.newState === "closed" && close(menu, opener));
  menu.addEventListener("keydown", (event) => key(menu, event));
  roving(menu, ITEM, { cycle: true });
  menu.showPopover();
  place(menu, opener);
  menu.querySelector(ITEM)?.focus();
}

function item({ text, sign, run, danger, checked, testid }, done) {
  const onclick = () => {
    done();
    run();
  };
  const classes = danger ? "menu-item danger-text" : "menu-item";
  const role = checked === undefined ? "menuitem" : "menuitemradio";
  return h(
    "button",
    {
      type: "button",
      role,
      class: classes,
      "aria-checked": checked === undefined ? null : String(checked),
      "data-testid": testid,
      onclick,
    },
    sign,
    text,
  );
}

function close(menu, opener) {
  opener.setAttribute("aria-expanded", "false");
  menu.remove();
  if (document.activeElement === document.body || !document.activeElement?.isConnected)
    opener.focus();
}

/** Below the button if there is room, else above; always inside the window. */
function place(menu, opener) {
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + GAP + height <= innerHeight;
  const top = below ? at.bottom + GAP : at.top - GAP - height;
  menu.style.top = `${Math.max(GAP, Math.min(top, innerHeight - height - GAP))}px`;
  menu.style.left = `${Math.max(GAP, Math.min(at.right - width, innerWidth - width - GAP))}px`;
}

function key(menu, event) {
  if (event.key === "Escape" || event.key === "Tab") {
    // Not the window around it, too.
    event.preventDefault();
    event.stopPropagation();
    return menu.hidePopover();
  }
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
  const items = [...menu.querySelectorAll(ITEM)];
  const at = items.indexOf(document.activeElement);
  const letter = event.key.toLowerCase();
  const behind = [...items.slice(at + 1), ...items.slice(0, at + 1)];
  behind.find((one) => one.textContent.toLowerCase().startsWith(letter))?.focus();
}
