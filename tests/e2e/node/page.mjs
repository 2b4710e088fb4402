// Chromium by way of Playwright, driven by tests/page.py: JSON lines on stdin and stdout.
//
// A line on stdin is a call, {call: 1, page: 2, do: "steps", …}, answered by {call: 1, result} or
// {call: 1, error}. Calls run beside one another. What goes wrong inside a page is told when it
// does, as {page: 2, problem}.

import { createInterface } from "node:readline";
import axe from "axe-core";
import { chromium } from "playwright-core";

const WAIT_MS = 15_000; // for one thing to appear
const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const browser = await chromium.launch({
  executablePath: process.env.PARLEY_TEST_CHROMIUM || "/usr/bin/chromium",
  chromiumSandbox: false, // it refuses to start as root
  args: ARGUMENTS,
});
const pages = new Map();

const DO = {
  /** A page of its own world (storage, cookies, network, size), or another tab of a page's world. */
  async open({ page: number, beside, options }) {
    const context = beside ? pages.get(beside).context() : await browser.newContext(options);
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    page.on("pageerror", (error) => tell({ page: number, problem: `uncaught: ${error.stack}` }));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      const { url } = message.location();
      tell({ page: number, problem: `${message.type()}: ${message.text()} (${url})` });
    });
    pages.set(number, page);
  },

  /** The world ends with its last page. */
  async close({ page: number }) {
    const page = pages.get(number);
    pages.delete(number);
    await page.close();
    if (page.context().pages().length === 0) await page.context().close();
  },

  /** Methods of Playwright's page, each of what the one before returned. */
  async steps({ page, steps }) {
    const result = await chain(pages.get(page), steps);
    return typeof result === "object" ? null : result;
  },

  /** Fail what the page asks for at addresses of this form. */
  async block({ page, url }) {
    await pages
      .get(page)
      .context()
      .route(url, (route) => route.abort());
  },

  /** What axe-core finds seriously wrong with a part of the page, as lines. */
  async violations({ page, selector }) {
    const on = pages.get(page);
    if (!(await on.evaluate("'axe' in globalThis"))) await on.evaluate(axe.source);
    return on.evaluate(judged, selector);
  },

  /** See `conversation`. */
  messages({ page, wanted }) {
    const ms = WAIT_MS;
    return pages.get(page).evaluate(conversation, { wanted: wanted && JSON.stringify(wanted), ms });
  },
};

/** {"@locator": steps} stands for a locator, anywhere in an argument. */
function chain(page, steps) {
  const value = (argument) => {
    if (typeof argument !== "object" || argument === null) return argument;
    if ("@locator" in argument) return chain(page, argument["@locator"]);
    return Object.fromEntries(Object.entries(argument).map(([name, v]) => [name, value(v)]));
  };
  const step = (on, [name, ...rest]) =>
    typeof on[name] === "function" ? on[name](...rest.map(value)) : on[name]; // page.keyboard
  return steps.reduce(step, page);
}

/** Runs in the page. */
async function judged(selector) {
  const { violations } = await globalThis.axe.run(selector, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
    );
}

/**
 * Wait until the open conversation shows what is wanted, and return what it shows, then or when
 * the time is over. Runs in the page.
 */
function conversation({ wanted, ms }) {
  const read = () =>
    [...document.querySelectorAll('[data-testid="message"]')].map((node) => {
      const text = node.querySelector('[data-testid="message-text"]').cloneNode(true);
      for (const mark of text.querySelectorAll("[data-testid]")) mark.remove(); // "(edited)"
      const { id = null, key, state } = node.dataset;
      return { id, key, state, text: text.textContent };
    });
  const matches = () =>
    !wanted || JSON.stringify(read().map(({ text, state }) => [text, state])) === wanted;
  return new Promise((resolve) => {
    const end = () => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(read());
    };
    const timer = setTimeout(end, ms);
    const observer = new MutationObserver(() => matches() && end());
    observer.observe(document, {
      attributes: true,
      characterData: true,
      childList: true,
      subtree: true,
    });
    if (matches()) end();
  });
}

function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { call, do: name, ...command } = JSON.parse(line);
    try {
      tell({ call, result: (await DO[name](command)) ?? null });
    } catch (error) {
      tell({ call, error: error.message });
    }
  })
  .on("close", async () => {
    await browser.close();
    process.exit();
  });
