// One operation: what it takes, a form to try it, what it answers.

import { element, inline, prose } from "./dom.js";
import { kind, shape } from "./shape.js";

/** The operation, folded; what is inside is made when it is opened. */
export function operation(method, path, told, { schemas, responses, token }) {
  const found = { schemas, responses, token };
  const details = element(
    "details",
    { class: "operation", id: told.operationId },
    element(
      "summary",
      {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("code", { class: "path" }, path.replace(/[/]/g, "/\u200b")), // may wrap there
      element("span", { class: "summary" }, told.summary),
    ),
  );
  const open = () => details.append(...inside(method, path, told, found));
  details.addEventListener("toggle", open, { once: true });
  return details;
}

function inside(method, path, told, found) {
  const body = told.requestBody?.content["application/json"];
  return [
    element("div", { class: "about" }, prose(told.description)),
    form(method, path, told, body, found),
    body ? element("h4", {}, "Body") : undefined,
    body ? shape(body.schema, found.schemas) : undefined,
    element("h4", {}, "Answers"),
    ...Object.entries(told.responses).map(([status, one]) => answer(status, one, found)),
  ].filter(Boolean);
}

function form(method, path, told, body, found) {
  const inputs = (told.parameters ?? []).map((parameter) => input(parameter, found));
  const text = body && element("textarea", { spellcheck: "false", name: "body" });
  if (text) {
    text.value = JSON.stringify(body.example, null, 2);
    text.rows = text.value.split("\n").length + 1;
  }
  const curl = element("pre", { class: "curl" });
  const output = element("div", { class: "output", "aria-live": "polite" });
  const read = () => request(method, path, inputs, text, found);
  const show = () => (curl.textContent = asCurl(read()));
  const made = element(
    "form",
    {
      class: "try",
      oninput: show,
      onsubmit: (event) => {
        event.preventDefault();
        send(read(), found, output);
      },
    },
    inputs.map(({ row }) => row),
    text && element("label", { class: "row" }, element("span", {}, "Body"), text),
    element("button", {}, "Send"),
    output,
    element("details", { class: "as-curl" }, element("summary", {}, "As curl"), curl),
  );
  show();
  return made;
}

function input(parameter, found) {
  const { name, schema, description, required } = parameter;
  const choices = schema.enum ?? (schema.type === "boolean" ? ["true", "false"] : undefined);
  const control = choices
    ? element(
        "select",
        { name },
        ["", ...choices].map((value) => element("option", { value }, value)),
      )
    : element("input", {
        name,
        required,
        spellcheck: "false",
        autocomplete: "off",
        inputmode: schema.type === "integer" ? "numeric" : undefined,
        placeholder: String(schema.default ?? parameter.example ?? schema.examples?.[0] ?? ""),
      });
  const row = element(
    "label",
    { class: "row" },
    element("span", {}, name, required ? "" : element("small", {}, " optional")),
    control,
    element("small", { class: "told" }, description ? inline(description) : kind(schema, found)),
  );
  return { parameter, control, row };
}

function request(method, path, inputs, text, { token }) {
  const headers = {};
  const query = new URLSearchParams();
  let url = path;
  for (const { parameter, control } of inputs) {
    const { name, in: where } = parameter;
    const value = control.value.trim();
    if (where === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
    else if (value && where === "query") query.set(name, value);
    else if (value) headers[name] = value;
  }
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (text) headers["Content-Type"] = "application/json";
  if (query.size) url += `?${query}`;
  return { method: method.toUpperCase(), url, headers, body: text?.value };
}

function asCurl({ method, url, headers, body }) {
  const quoted = (value) => `'${value.replaceAll("'", "'\\''")}'`;
  const lines = [`curl -X ${method} ${quoted(location.origin + url)}`];
  lines.push('-H "Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(headers)) {
    if (name !== "Authorization") lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  }
  if (body !== undefined) lines.push(`-d ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

async function send({ url, ...options }, { responses }, output) {
  output.replaceChildren(element("p", { class: "soft" }, "…"));
  const began = performance.now();
  let response;
  let text;
  try {
    response = await fetch(url, { ...options, cache: "no-store" });
    text = await response.text();
  } catch {
    output.replaceChildren(element("p", { class: "bad" }, "The server did not answer."));
    return;
  }
  const took = Math.round(performance.now() - began);
  const told = ["ETag", "Retry-After"]
    .filter((name) => response.headers.has(name))
    .map((name) => element("code", {}, `${name}: ${response.headers.get(name)}`));
  output.replaceChildren(
    element(
      "p",
      {},
      element("strong", { class: response.ok ? "good" : "bad" }, String(response.status)),
      ` ${response.statusText} `,
      element("span", { class: "soft" }, `${took} ms `),
      told,
    ),
    element("pre", {}, pretty(text)),
  );
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function answer(status, response, { schemas, responses }) {
  const whole = response.$ref ? responses[response.$ref.split("/").at(-1)] : response;
  const content = whole.content?.["application/json"];
  const line = [
    element("code", { class: status < 400 ? "good" : "bad" }, status),
    " ",
    inline(whole.description),
  ];
  if (status >= 400 || !content) return element("p", { class: "answer" }, line);
  const details = element("details", { class: "answer" }, element("summary", {}, line));
  const open = () => details.append(shape(content.schema, schemas));
  details.addEventListener("toggle", open, { once: true });
  return details;
}
