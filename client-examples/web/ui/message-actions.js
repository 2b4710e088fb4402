/** The tools of a message: they appear under the pointer, with the focus, or after a tap. */

import { fill, h } from "./dom.js";
import { iconButton } from "./icons.js";

/** Those offered at once; other clients may use any. */
export const EMOJI = ["👍", "❤️", "😂", "🎉", "😮", "😢", "👀", "✅"];

/**
 * @param {object} item   of `itemsOf`
 * @param {object} context   see `drawItem`
 */
export function messageActions(item, context) {
  const bar = h("div", { class: "actions", role: "toolbar", "aria-label": "Message actions" });
  showTools(bar, item, context);
  return bar;
}

function showTools(bar, item, context) {
  bar.onkeydown = bar.onfocusout = null; // first: removing the focused button is a focusout too
  const { act } = context;
  const tool = (name, icon, label, onclick) =>
    item.tools.includes(name) && iconButton(icon, label, { "data-testid": name, onclick });
  fill(
    bar,
    tool("react", "smile", "React", () => showEmoji(bar, item, context)),
    tool("reply", "reply", "Reply", () => act.reply(item)),
    tool("edit", "edit", "Edit", () => act.edit(item)),
    tool("delete", "trash", "Delete", () => act.delete(item)),
  );
  bar.classList.remove("open");
}

/** The emoji take the place of the tools, where there is room for them on a phone too. */
function showEmoji(bar, item, context) {
  const close = () => showTools(bar, item, context);
  const choose = (emoji) => {
    close();
    bar.closest(".message").focus({ preventScroll: true });
    context.act.react(item, emoji, !mine(item, emoji, context.me));
  };
  const buttons = EMOJI.map((emoji) => emojiButton(emoji, () => choose(emoji)));
  fill(bar, buttons);
  bar.classList.add("open");
  buttons[0].focus();
  bar.onfocusout = (event) => !bar.contains(event.relatedTarget) && close();
  bar.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    close();
    bar.querySelector("button").focus();
  };
}

function emojiButton(emoji, onclick) {
  const properties = { type: "button", class: "emoji", "data-testid": `emoji-${emoji}` };
  return h("button", { ...properties, "aria-label": `React with ${emoji}`, onclick }, emoji);
}

const mine = (item, emoji, me) =>
  item.reactions.some((reaction) => reaction.emoji === emoji && reaction.users.includes(me));
