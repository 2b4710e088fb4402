/** Modal windows: the browser's own, so focus, Escape and the backdrop work as expected. */

import { fill, h, iconButton } from "./dom.js";

/**
 * Open a window.
 *
 * @param {string} title
 * @param {(close: (result?: any) => void) => Array<Node>} content
 * @returns {Promise<any>} what it was closed with
 */
export function openDialog(title, content, testid) {
  return new Promise((resolve) => {
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const heading = h("h2", { id: "dialog-title" }, title);
    const dialog = h(
      "dialog",
      {
        "aria-labelledby": "dialog-title",
        "data-testid": testid,
        onclick: (event) => event.target === dialog && close(),
      },
      h(
        "div",
        { class: "dialog-body" },
        h(
          "header",
          {},
          heading,
          iconButton("close", "Close", { "data-testid": "dialog-close", onclick: () => close() }),
        ),
        content(close),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** @returns {Promise<boolean>} */
export async function confirm(title, text, action) {
  const answer = await openDialog(
    title,
    (close) => [
      h("p", {}, text),
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

/** A line at the edge of the page that goes away by itself. */
export function toast(text) {
  const place =
    document.querySelector(".toasts") ??
    document.body.appendChild(h("div", { class: "toasts", role: "status" }));
  const line = fill(h("div", { class: "toast", "data-testid": "toast" }), text);
  place.append(line);
  setTimeout(() => line.remove(), 5000);
}
