/** Modal windows: the browser's own, so focus, Escape and the backdrop work as expected. */

import { h, newId } from "./dom.js";
import { iconButton } from "./icons.js";
import { keepToasts, toastPlace } from "./toasts.js";

/**
 * Open a window.
 *
 * @param {string} title
 * @param {(close: (result?: any) => void, dialog: Element) => Array<Node>} content
 * @param {string} testid
 * @returns {Promise<any>} what it was closed with
 */
export function openDialog(title, content, testid) {
  return new Promise((resolve) => {
    let result;
    const opener = document.activeElement;
    const id = newId("dialog");
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const dialog = h("dialog", {
      "aria-labelledby": id,
      "data-testid": testid,
      onmousedown: (event) => event.target === dialog && close(),
    });
    const body = h("div", { class: "dialog-body" }, head(id, title, close), content(close, dialog));
    dialog.append(body, toastPlace());
    dialog.addEventListener("close", () => {
      keepToasts(dialog);
      dialog.remove();
      giveBack(opener);
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function head(id, title, close) {
  const properties = { "data-testid": "dialog-close", onclick: () => close() };
  return h(
    "div",
    { class: "dialog-head" },
    h("h2", { id, dir: "auto" }, title),
    iconButton("close", "Close", properties),
  );
}

/** The browser returns the focus to where it was, but only if that is still there. */
function giveBack(opener) {
  const again = opener?.isConnected ? opener : document.querySelector(same(opener) ?? "main");
  if (document.activeElement === document.body) again?.focus();
}

const same = (element) =>
  element?.dataset?.testid && `[data-testid="${CSS.escape(element.dataset.testid)}"]`;

/**
 * Ask before something is done.
 *
 * @param {string|Node[]} text
 * @returns {Promise<boolean>}
 */
export async function confirm(title, text, action) {
  const answer = await openDialog(
    title,
    (close) => [
      typeof text === "string" ? h("p", { dir: "auto" }, text) : text,
      h(
        "div",
        { class: "dialog-actions" },
        h("button", { type: "button", onclick: () => close(false) }, "Cancel"),
        h(
          "button",
          {
            type: "button",
            class: "danger",
            autofocus: true,
            "data-testid": "confirm",
            onclick: () => close(true),
          },
          action,
        ),
      ),
    ],
    "confirm-dialog",
  );
  return answer === true;
}
