/** One item of a conversation as an element. */

import { avatar, hue } from "./avatar.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { clock, fullTime, names } from "./format.js";
import { draw, onlyEmoji } from "./text.js";

/** Those offered at once; other clients may use any. */
export const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "👀", "✅"];

/**
 * @param {object} item   of `itemsOf`
 * @param {object} context
 * @param {string} context.me
 * @param {string[]} context.users   members, who can be named
 * @param {object} context.act   react, reply, edit, delete, retry, discard, show
 */
export function drawItem(item, context) {
  return DRAW[item.kind](item, context);
}

const DRAW = {
  day: (item) => h("li", { class: "divider day", "data-testid": "day" }, h("span", {}, item.text)),
  new: () => h("li", { class: "divider new", "data-testid": "new-divider" }, h("span", {}, "New")),
  notice: (item) =>
    h("li", { class: "notice", "data-testid": "notice" }, item.text, " ", h("time", {}, clock(item.time))),
  seen: (item) =>
    h("li", { class: "seen", "data-testid": "seen-by" }, item.users.length ? `Seen by ${names(item.users)}` : "Seen"),
  beginning: () => h("li", { class: "beginning", "data-testid": "beginning" }, "This is where the conversation begins."),
  older: (item) => h("li", { class: "older", "data-testid": "older" }, item.text),
  message: drawMessage,
};

function drawMessage(item, context) {
  const { first, mine, state, deleted } = item;
  const classes = ["message", first && "first", mine && "mine", state, deleted && "deleted"];
  return h(
    "li",
    {
      class: classes.filter(Boolean).join(" "),
      tabindex: "-1",
      "data-testid": "message",
      "data-key": item.key,
      "data-id": item.id,
      "data-state": state,
      "aria-label": `${mine ? "You" : item.from}, ${clock(item.time)}: ${deleted ? "deleted message" : item.content.text ?? ""}`,
    },
    first
      ? avatar(item.from)
      : h("time", { class: "margin-time", datetime: item.time, title: fullTime(item.time) }, clock(item.time)),
    h("div", { class: "message-main" }, first && head(item), body(item, context)),
    item.id && !deleted && state !== "pending" && actions(item, context),
  );
}

function head(item) {
  return h(
    "div",
    { class: "message-head" },
    h("span", { class: `author ink-${hue(item.from)}` }, item.from, item.mine && h("span", { class: "you" }, " (you)")),
    h("time", { datetime: item.time, title: fullTime(item.time) }, clock(item.time)),
  );
}

function body(item, context) {
  return [
    item.reply && quote(item.reply, context),
    h(
      "div",
      { class: `text${onlyEmoji(item.content.text ?? "") ? " jumbo" : ""}`, "data-testid": "message-text", dir: "auto" },
      item.deleted ? "This message was deleted" : words(item, context),
      item.edited && !item.deleted && h("span", { class: "edited", "data-testid": "edited" }, " (edited)"),
      item.state === "pending" && waiting(item),
    ),
    item.state === "failed" && failure(item, context),
    item.recallable && unsent(item, context),
    item.reactions.length > 0 && reactions(item, context),
  ];
}

/** Pictures are named, not loaded: an address in a message must not learn who reads it. */
function words(item, context) {
  const { text = "", image, file } = item.content;
  const links = [["Image", image], ["File", file]].filter(([, url]) => url);
  return [
    draw(text, context.users, context.me),
    links.map(([name, url]) => [text && h("br"), `${name}: `, draw(url, [], context.me)]),
  ];
}

function quote(reply, { act }) {
  return h(
    "button",
    { type: "button", class: "quote", "data-testid": "quote", onclick: () => reply.id && act.show(reply.id) },
    reply.from && h("b", {}, reply.from),
    h("span", {}, reply.text),
  );
}

function waiting() {
  return h("span", { class: "waiting", "data-testid": "pending", title: "Not sent yet" }, icon("clock"), h("span", { class: "hidden" }, " not sent yet"));
}

/** Never tried: it may still be taken back. */
function unsent(item, { act }) {
  return h("div", { class: "unsent" }, link("Do not send", "discard", () => act.discard(item)));
}

function failure(item, { act }) {
  return h(
    "div",
    { class: "failure", role: "alert", "data-testid": "failed" },
    h("span", {}, `Not sent: ${item.error}`),
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
          "data-testid": `reaction-${emoji}`,
          onclick: () => act.react(item, emoji, !mine),
        },
        h("span", {}, emoji),
        h("span", { class: "count" }, String(count)),
      );
    }),
  );
}

/** The tools that appear at a message under the pointer or with the focus. */
function actions(item, context) {
  const { act } = context;
  const bar = h("div", { class: "actions", role: "toolbar", "aria-label": "Message actions" });
  return fill(
    bar,
    iconButton("smile", "React", { "data-testid": "react", "aria-expanded": "false", onclick: () => toggleEmoji(bar, item, context) }),
    iconButton("reply", "Reply", { "data-testid": "reply", onclick: () => act.reply(item) }),
    item.mine && iconButton("edit", "Edit", { "data-testid": "edit", onclick: () => act.edit(item) }),
    item.mine && iconButton("trash", "Delete", { "data-testid": "delete", onclick: () => act.delete(item) }),
  );
}

function toggleEmoji(bar, item, { me, act }) {
  const open = bar.querySelector(".emoji");
  set(bar, !open);
  if (open) return open.remove();
  const mine = (emoji) => item.reactions.some((r) => r.emoji === emoji && r.users.includes(me));
  const choose = (emoji) => {
    bar.querySelector(".emoji").remove();
    set(bar, false);
    act.react(item, emoji, !mine(emoji));
  };
  const buttons = EMOJI.map((emoji) =>
    h("button", { type: "button", "data-testid": `emoji-${emoji}`, "aria-label": emoji, onclick: () => choose(emoji) }, emoji),
  );
  bar.append(h("div", { class: "emoji", role: "group", "aria-label": "Choose a reaction" }, buttons));
  buttons[0].focus();
}

function set(bar, expanded) {
  bar.classList.toggle("open", expanded);
  bar.querySelector('[data-testid="react"]').setAttribute("aria-expanded", String(expanded));
}
