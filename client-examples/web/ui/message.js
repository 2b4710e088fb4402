/** One item of a conversation as an element. */

import { avatar, hued } from "./avatar.js";
import { h } from "./dom.js";
import { clock, fullTime, names, sentence } from "./format.js";
import { icon } from "./icons.js";
import { messageActions } from "./message-actions.js";
import { draw, onlyEmoji } from "./text.js";

/**
 * @param {object} item   of `itemsOf`
 * @param {object} context
 * @param {string} context.me
 * @param {object} context.act   react, reply, edit, delete, retry, discard, show
 */
export function drawItem(item, context) {
  return DRAW[item.kind](item, context);
}

const DRAW = {
  day: (item) => h("li", { class: "divider day", "data-testid": "day" }, h("span", {}, item.text)),
  new: () => h("li", { class: "divider new", "data-testid": "new-divider" }, h("span", {}, "New")),
  notice: (item) =>
    h(
      "li",
      { class: "notice", "data-testid": "notice" },
      item.text,
      " ",
      h("time", {}, clock(item.time)),
    ),
  seen: (item) =>
    h(
      "li",
      { class: "seen", "data-testid": "seen-by" },
      item.users.length ? `Seen by ${names(item.users)}` : "Seen",
    ),
  beginning: () =>
    h(
      "li",
      { class: "beginning", "data-testid": "beginning" },
      "This is where the conversation begins.",
    ),
  older: (item) => h("li", { class: "older", "data-testid": "older" }, item.text),
  message: drawMessage,
};

function drawMessage(item, context) {
  const { first, mine, state, deleted } = item;
  const classes = [
    "message",
    state,
    first && "first",
    mine && "mine",
    deleted && "deleted",
    !mine && !deleted && item.content.mentions?.includes(context.me) && "names-me",
    item.current && "current",
  ];
  return h(
    "li",
    {
      class: classes.filter(Boolean).join(" "),
      tabindex: "-1",
      "data-testid": "message",
      "data-key": item.key,
      "data-id": item.id,
      "data-state": state,
      "aria-label": `${mine ? "You" : item.from}, ${clock(item.time)}: ${deleted ? "deleted message" : (item.content.text ?? "")}`,
    },
    first
      ? avatar(item.from)
      : h(
          "time",
          { class: "margin-time", datetime: item.time, title: fullTime(item.time) },
          clock(item.time),
        ),
    h("div", { class: "message-main" }, first && head(item), body(item, context)),
    item.id &&
      !deleted &&
      state !== "pending" &&
      item.tools.length > 0 &&
      messageActions(item, context),
  );
}

function head(item) {
  return h(
    "div",
    { class: "message-head" },
    hued(
      h("span", { class: "author" }, item.from, item.mine && h("span", { class: "you" }, " (you)")),
      item.from,
    ),
    h("time", { datetime: item.time, title: fullTime(item.time) }, clock(item.time)),
  );
}

function body(item, context) {
  return [
    item.reply && quote(item.reply, context),
    h(
      "div",
      {
        class: `text${onlyEmoji(item.content.text ?? "") ? " jumbo" : ""}`,
        "data-testid": "message-text",
        dir: "auto",
      },
      item.deleted ? "This message was deleted" : words(item, context),
      item.edited &&
        !item.deleted &&
        h("span", { class: "edited", "data-testid": "edited" }, " (edited)"),
      item.state === "pending" && waiting(),
      item.recallable && takeBack(item, context),
    ),
    item.state === "failed" && failure(item, context),
    item.reactions.length > 0 && reactions(item, context),
  ];
}

/** Pictures are named, not loaded: an address in a message must not learn who reads it. */
function words(item, context) {
  const { text = "", image, file } = item.content;
  const links = [
    ["Image", image],
    ["File", file],
  ].filter(([, url]) => url);
  return [
    draw(text, { users: item.names, me: context.me, wanted: item.wanted }),
    links.map(([name, url]) => [text && h("br"), `${name}: `, draw(url)]),
  ];
}

function quote(reply, { act }) {
  return h(
    "button",
    {
      type: "button",
      class: "quote",
      "data-testid": "quote",
      onclick: () => act.show(reply.id),
    },
    h("span", { class: "hidden" }, "In reply to "),
    reply.from && h("b", {}, reply.from),
    h("span", { dir: "auto" }, reply.text),
  );
}

function waiting() {
  return h(
    "span",
    { class: "waiting", "data-testid": "pending", title: "Not sent yet" },
    icon("clock"),
    h("span", { class: "hidden" }, " not sent yet"),
  );
}

/** Never tried: it may still be taken back. */
function takeBack(item, { act }) {
  return link("Take back", "discard", () => act.discard(item));
}

function failure(item, { act }) {
  return h(
    "div",
    { class: "failure", role: "alert", "data-testid": "failed" },
    h("span", {}, `Not sent. ${sentence(item.error)}`),
    link("Try again", "retry", () => act.retry(item)),
    link("Discard", "discard", () => act.discard(item)),
  );
}

const link = (text, testid, onclick) =>
  h("button", { type: "button", class: "link-button", "data-testid": testid, onclick }, text);

function reactions(item, { me, act }) {
  return h(
    "div",
    { class: "reactions" },
    item.reactions.map(({ emoji, count, users }) => {
      const mine = users.includes(me);
      const label = `${emoji} ${names(users)}`;
      return h(
        "button",
        {
          type: "button",
          class: mine ? "reaction mine" : "reaction",
          title: label,
          "aria-label": `${label}, ${count}`,
          "aria-pressed": String(mine),
          disabled: !item.tools.includes("react"),
          "data-testid": `reaction-${emoji}`,
          onclick: () => act.react(item, emoji, !mine),
        },
        h("span", {}, emoji),
        h("span", { class: "count" }, String(count)),
      );
    }),
  );
}
