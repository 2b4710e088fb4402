// Elements, and the little of Markdown that the document uses.

/** A new element; attributes that begin with "on" are listeners, undefined ones are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null));
  return made;
}

/** Text with `code` in it, as nodes. */
export function inline(text) {
  return text
    .split("`")
    .map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

/** Paragraphs and lists, as nodes. */
export function prose(text = "") {
  return text
    .split("\n\n")
    .filter((block) => block.trim())
    .map((block) => {
      if (!block.startsWith("- ")) return element("p", {}, inline(block));
      const items = block.slice(2).split("\n- ");
      return element("ul", {}, items.map((item) => element("li", {}, inline(item))));
    });
}
