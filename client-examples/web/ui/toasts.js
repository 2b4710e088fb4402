/** Lines at the edge of the page that go away by themselves. */

import { h } from "./dom.js";
import { wordsOf } from "./forms.js";

const STAYS = 6000; // ms

/** Where they appear. It is there before the first one, so that it is read out. */
export const toastPlace = () => h("div", { class: "toasts", role: "status" });

/** Say what went wrong; it is read out at once. */
export const complain = (problem) => toast(wordsOf(problem), "alert");

/** Say something that needs no answer. */
export function toast(text, role = null) {
  const line = h("div", { class: "toast", role, "data-testid": "toast" }, text);
  // What lies outside an open window is out of sight and not read out.
  const places = [...document.querySelectorAll("body > .toasts, dialog[open] .toasts")];
  (places.at(-1) ?? document.body.appendChild(toastPlace())).append(line);
  setTimeout(() => line.remove(), STAYS);
}

/** A window closes: what it said stays to be read. */
export function keepToasts(dialog) {
  const place = document.querySelector("body > .toasts");
  place?.append(...dialog.querySelectorAll(".toast"));
}
