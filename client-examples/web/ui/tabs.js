/** Pages of which one is shown, under a row of tabs. */

import { fill, h, newId } from "./dom.js";
import { roving } from "./roving.js";

export class Tabs {
  #tabs;
  #panel = h("div", { role: "tabpanel", class: "tab-panel", id: newId("panel") });
  #shown = null;

  /**
   * @param {string} label   what can be chosen
   * @param {{id: string, text: string, draw: () => Node}[]} pages
   * @param {string} [prefix]   of the test ids
   */
  constructor(label, pages, prefix = "tab") {
    this.#tabs = pages.map((page) => ({ ...page, button: this.#button(page, prefix) }));
    const bar = h(
      "div",
      { class: "segments", role: "tablist", "aria-label": label },
      this.#tabs.map((tab) => tab.button),
    );
    roving(bar, "[role=tab]", { direction: "horizontal", cycle: true });
    bar.addEventListener("focusin", (event) => this.#focused(event.target));
    this.element = h("div", { class: "tabs" }, bar, this.#panel);
  }

  get shown() {
    return this.#shown?.id;
  }

  /** Turn to a page and draw it. */
  show(id) {
    const tab = this.#tabs.find((one) => one.id === id) ?? this.#tabs[0];
    this.#shown = tab;
    for (const { button } of this.#tabs) {
      button.setAttribute("aria-selected", String(button === tab.button));
      button.tabIndex = button === tab.button ? 0 : -1;
    }
    this.#panel.setAttribute("aria-labelledby", tab.button.id);
    fill(this.#panel, tab.draw());
  }

  /** Change what a tab says. */
  rename(id, ...content) {
    const { button } = this.#tabs.find((tab) => tab.id === id) ?? {};
    if (button) fill(button, content);
  }

  #button({ id, text }, prefix) {
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id: newId("tab"),
        tabindex: "-1",
        "aria-controls": this.#panel.id,
        "data-testid": `${prefix}-${id}`,
        onclick: () => this.shown === id || this.show(id), // the focus may have chosen it
      },
      text,
    );
  }

  /** Arrows choose: what is shown follows the focus. */
  #focused(button) {
    const tab = this.#tabs.find((one) => one.button === button);
    if (tab && tab !== this.#shown) this.show(tab.id);
  }
}
