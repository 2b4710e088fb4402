/** The page before the chat: a name where the server allows it, else a token. */

import { fill, h } from "./dom.js";
import { field } from "./forms.js";
import { sentence } from "./format.js";
import { byName, canUseName, fromToken } from "./session.js";

/**
 * @param {Element} root
 * @param {string} [reason]   why one has to sign in (again)
 * @returns {Promise<import("./session.js").Session>}
 */
export function signIn(root, reason) {
  return new Promise((resolve) => {
    const forms = h("div", { class: "signin-forms" });
    fill(
      root,
      h(
        "main",
        { class: "signin" },
        h("h1", {}, h("span", { class: "logo", "aria-hidden": "true" }), "Parley"),
        h(
          "p",
          { class: "lead" },
          "Talk with your team. What you write arrives, even if the connection does not hold.",
        ),
        reason && h("p", { class: "note", role: "alert", "data-testid": "signin-reason" }, reason),
        forms,
      ),
    );
    show(forms, resolve);
  });
}

async function show(forms, resolve) {
  const named = await canUseName();
  const token = tokenForm(resolve);
  fill(forms, named && nameForm(resolve), named ? folded(token) : token);
  forms.querySelector("input, textarea").focus();
}

function nameForm(resolve) {
  const input = h("input", {
    name: "name",
    "data-testid": "signin-name",
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: "64",
    placeholder: "ann",
    required: true,
  });
  return form(
    "Your name",
    input,
    (value) => byName(value),
    resolve,
    "This server runs for development: any name will do.",
  );
}

function tokenForm(resolve) {
  const input = h("textarea", {
    name: "token",
    rows: "4",
    "data-testid": "signin-token",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  const hint = ["Get one with ", h("code", {}, "parley token --user ann")];
  return form("Token", input, async (value) => checked(value), resolve, hint);
}

function checked(value) {
  const session = fromToken(value);
  if (!session) throw new Error("This is not a token. It has three parts with dots between them.");
  return session;
}

function form(label, input, work, resolve, hint) {
  const error = h("p", { class: "form-error", role: "alert" });
  const button = h(
    "button",
    { class: "primary", "data-testid": `signin-${input.name}-submit` },
    "Sign in",
  );
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      resolve(await work(input.value.trim()));
    } catch (problem) {
      error.textContent =
        problem instanceof TypeError ? "The server cannot be reached." : sentence(problem.message);
      button.disabled = false;
      input.focus();
    }
  };
  return h("form", { onsubmit: submit }, field(label, input, hint), error, button);
}

const folded = (content) => h("details", {}, h("summary", {}, "Sign in with a token"), content);
