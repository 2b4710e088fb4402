// Reads the document and shows it; the token stays in this tab.

import { element, prose } from "./dom.js";
import { operation } from "./operation.js";

const KEPT = "parley.token";
const by = (id) => document.getElementById(id);

async function start() {
  const response = await fetch("v1/openapi.json");
  const told = await response.json();
  by("version").textContent = told.info.version;
  by("introduction").replaceChildren(...prose(told.info.description));
  const found = {
    schemas: told.components.schemas,
    responses: told.components.responses,
    token: () => by("token").value.trim(),
  };
  for (const tag of told.tags) {
    by("operations").append(section(tag, told.paths, found));
    by("contents").append(element("a", { href: `#${anchor(tag)}` }, tag.name));
  }
  unfold();
}

function section(tag, paths, found) {
  const of_tag = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, told]) => told.tags.includes(tag.name))
      .map(([method, told]) => operation(method, path, told, found)),
  );
  return element(
    "section",
    { id: anchor(tag) },
    element("h2", {}, tag.name),
    prose(tag.description),
    of_tag,
  );
}

const anchor = (tag) => tag.name.toLowerCase();

/** Open the operation that the address names. */
function unfold() {
  const named = by(location.hash.slice(1));
  if (named instanceof HTMLDetailsElement) named.open = true;
  if (location.hash) named?.scrollIntoView();
}

/** Say whose token it is, so that a wrong one is noticed before it is used. */
function show_whose() {
  const token = by("token").value.trim();
  sessionStorage.setItem(KEPT, token);
  by("whose").textContent = token ? whose(token) : "";
}

function whose(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { sub, exp, roles } = JSON.parse(atob(part));
    const until = new Date(exp * 1000);
    const as = roles?.length ? ` (${roles.join(", ")})` : "";
    const verb = until < Date.now() ? "expired" : "until";
    return `${sub}${as}, ${verb} ${until.toLocaleString()}`;
  } catch {
    return "This is no token.";
  }
}

by("token").value = sessionStorage.getItem(KEPT) ?? "";
by("token").addEventListener("input", show_whose);
by("sign-in").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", unfold);
show_whose();
start().catch(() => by("operations").append("The document could not be read; reload the page."));
