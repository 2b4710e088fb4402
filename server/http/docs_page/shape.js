// A JSON Schema as a list that people read; what is nested unfolds when asked for.

import { element, inline } from "./dom.js";

/** The fields of a schema, or what else it is. */
export function shape(schema, found) {
  const whole = resolve(schema, found);
  if (whole.oneOf) {
    return element("ul", { class: "shape" }, whole.oneOf.map((one) => variant(one, found)));
  }
  if (whole.items) return shape(whole.items, found);
  if (!whole.properties) return element("p", { class: "soft" }, kind(whole, found));
  const required = new Set(whole.required);
  const entries = Object.entries(whole.properties);
  if (!entries.length) return element("p", { class: "soft" }, "An empty object.");
  return element(
    "ul",
    { class: "shape" },
    entries.map(([name, inner]) => field(name, inner, required.has(name), found)),
  );
}

/** One line about a value: its type and its bounds. */
export function kind(schema, found) {
  const whole = resolve(schema, found);
  if (whole.const !== undefined) return JSON.stringify(whole.const);
  if (whole.enum) return whole.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (whole.oneOf) return "one of several";
  if (whole.anyOf) return whole.anyOf.map((one) => kind(one, found)).join(" or ");
  if (whole.items) return `list of ${kind(whole.items, found)}${bounds(whole)}`;
  return [whole.type ?? "anything"].flat().join(" or ") + bounds(whole);
}

function field(name, schema, required, found) {
  const line = [
    element("code", { class: "name" }, name),
    " ",
    element("span", { class: "kind" }, kind(schema, found)),
    required ? "" : element("span", { class: "soft" }, " optional"),
    schema.description ? element("span", { class: "told" }, inline(schema.description)) : "",
  ];
  return unfolding(line, inside(schema, found), found);
}

function variant(schema, found) {
  const whole = resolve(schema, found);
  return unfolding([element("span", { class: "kind" }, whole.title ?? "object")], whole, found);
}

function unfolding(line, nested, found) {
  if (!nested) return element("li", {}, line);
  const details = element("details", {}, element("summary", {}, line));
  details.addEventListener("toggle", () => details.append(shape(nested, found)), { once: true });
  return element("li", {}, details);
}

/** What there is to unfold in a field, if anything. */
function inside(schema, found) {
  const whole = resolve(schema, found);
  if (whole.items) return inside(whole.items, found);
  if (whole.oneOf || Object.keys(whole.properties ?? {}).length) return whole;
  const values = whole.additionalProperties;
  return values && values !== true ? inside(values, found) : undefined;
}

function resolve(schema, found) {
  const reference = schema.$ref ?? schema.allOf?.[0].$ref;
  return reference ? found[reference.split("/").at(-1)] : schema;
}

function bounds({ minimum, maximum, minLength, maxLength, minItems, maxItems }) {
  const low = minimum ?? minLength ?? minItems;
  const high = maximum ?? maxLength ?? maxItems;
  if (high === Number.MAX_SAFE_INTEGER || (low ?? high) === undefined) return "";
  if (high === undefined) return low ? `, at least ${low}` : "";
  return low ? `, ${low} to ${high}` : `, at most ${high}`;
}
