/** Fields with their labels and help, and forms that say what went wrong. */

import { h, newId } from "./dom.js";
import { sentence } from "./format.js";

const USER = /^[A-Za-z0-9._@-]{1,64}$/;

/** A field under its label, with a line of help below. */
export function field(label, input, hint) {
  input.id ||= newId("field");
  return h(
    "div",
    { class: "field" },
    h("label", { for: input.id }, label),
    input,
    hint && help(input, hint),
  );
}

/** A box to tick beside its label, with a line of help below that. */
export function checkbox(label, input, hint) {
  input.id ||= newId("field");
  input.type = "checkbox";
  return h(
    "div",
    { class: "check" },
    input,
    h("label", { for: input.id }, label),
    hint && help(input, hint),
  );
}

function help(input, hint) {
  const id = newId("help");
  input.setAttribute("aria-describedby", id);
  return h("small", { id }, hint);
}

/** One of a few, each with what it means. */
export function choice(legend, name, options, onchange) {
  return h(
    "fieldset",
    { class: "kinds", onchange },
    h("legend", {}, legend),
    options.map(([value, title, text], at) => {
      const input = h("input", {
        type: "radio",
        name,
        value,
        checked: at === 0,
        "data-testid": `${name}-${value}`,
      });
      return h("label", {}, input, h("span", {}, h("b", {}, title), h("small", {}, text)));
    }),
  );
}

/**
 * A form that waits for its work and shows why it failed.
 *
 * @param {Node[]} fields
 * @param {{text: string, testid: string}} action
 * @param {() => Promise<void>} submit
 */
export function form(fields, { text, testid }, submit) {
  const error = h("p", { class: "form-error", role: "alert", "data-testid": "form-error" });
  const button = h("button", { class: "primary", "data-testid": testid }, text);
  const onsubmit = async (event) => {
    event.preventDefault();
    // aria-disabled: a button that is disabled loses the focus.
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    error.textContent = "";
    try {
      await submit();
    } catch (problem) {
      error.textContent = wordsOf(problem);
    }
    button.ariaDisabled = "false";
  };
  return h("form", { onsubmit }, fields, error, h("div", { class: "dialog-actions" }, button));
}

/** What went wrong, as a sentence; of a payload the first thing that is wrong with it. */
export function wordsOf(problem) {
  const [first] = problem.details?.errors ?? [];
  return sentence(first ? `${first.pointer.split("/").at(-1)}: ${first.message}` : problem.message);
}

/** @throws {Error} naming what cannot be a user */
export function usersOf(text) {
  const users = text.split(/[\s,;]+/).filter(Boolean);
  const wrong = users.find((user) => !USER.test(user));
  if (wrong) throw new Error(`"${wrong}" cannot be a user name: only letters, digits and . _ @ -`);
  return users;
}

/** An input for user names: nothing is to be corrected in them. */
export const userInput = (properties) =>
  h("input", {
    autocapitalize: "none",
    autocomplete: "off",
    spellcheck: "false",
    ...properties,
  });
