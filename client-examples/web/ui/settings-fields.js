/** The settings of a room as fields of a form. */

import { checkbox, field } from "./forms.js";
import { h, newId } from "./dom.js";

const TYPES = [
  ["text", "Text"],
  ["image", "Images"],
  ["file", "Files"],
];

/** What each is called, here and where somebody else has changed it. */
export const SETTING_NAMES = {
  name: "Name",
  description: "Description",
  is_private: "Unlisted",
  require_approval: "Ask before joining",
  mute_all: "Only owner and admins write",
  max_members: "Most members",
  allowed_types: "What may be sent",
};

export const DEFAULTS = {
  is_private: false,
  require_approval: false,
  mute_all: false,
  max_members: 1000,
  allowed_types: ["text", "image", "file"],
};

export class SettingsFields {
  #boxes = {
    is_private: box("is_private"),
    require_approval: box("require_approval"),
    mute_all: box("mute_all"),
  };
  #most = h("input", {
    type: "number",
    min: "2",
    max: "10000",
    step: "1",
    required: true,
    "data-testid": "setting-max_members",
  });
  #types = TYPES.map(([type]) => box(`type-${type}`));

  constructor(settings, type) {
    this.element = h(
      "div",
      { class: "settings" },
      checkbox(
        SETTING_NAMES.is_private,
        this.#boxes.is_private,
        "A public room is found and joined by everybody. Unlisted, it is entered by invitation " +
          "only. Private rooms and groups always are.",
      ),
      checkbox(
        SETTING_NAMES.require_approval,
        this.#boxes.require_approval,
        "Who is not invited sends a request; owner and admins let them in or not.",
      ),
      checkbox(
        SETTING_NAMES.mute_all,
        this.#boxes.mute_all,
        "For announcements: all others read and leave read marks.",
      ),
      this.#typeChoice(),
      field(SETTING_NAMES.max_members, this.#most, "From 2 to 10,000. Invitations do not count."),
    );
    this.show(settings);
    this.of(type);
  }

  /** Show other values. */
  show(settings) {
    for (const [name, input] of Object.entries(this.#boxes)) input.checked = settings[name];
    this.#most.value = settings.max_members;
    TYPES.forEach(
      ([type], at) => (this.#types[at].checked = settings.allowed_types.includes(type)),
    );
  }

  /** Only a public room can be listed. */
  of(type) {
    const input = this.#boxes.is_private;
    if (type === "public" && input.disabled) input.checked = false;
    if (type !== "public") input.checked = true;
    input.disabled = type !== "public";
  }

  /** @throws {Error} in words, if something is missing */
  values() {
    const allowed_types = TYPES.map(([type]) => type).filter((_, at) => this.#types[at].checked);
    if (!allowed_types.length) throw new Error("At least one kind of message has to be allowed.");
    const boxes = Object.entries(this.#boxes).map(([name, input]) => [name, input.checked]);
    return {
      ...Object.fromEntries(boxes),
      max_members: this.#most.valueAsNumber,
      allowed_types,
    };
  }

  #typeChoice() {
    const help = newId("help");
    return h(
      "fieldset",
      { class: "types", "aria-describedby": help },
      h("legend", {}, SETTING_NAMES.allowed_types),
      h(
        "div",
        { class: "types-row" },
        TYPES.map(([, label], at) => checkbox(label, this.#types[at])),
      ),
      h("small", { id: help }, "Images and files are sent as addresses by other clients."),
    );
  }
}

const box = (name) => h("input", { type: "checkbox", "data-testid": `setting-${name}` });

/** A setting's value in words. */
export function settingWords(field, value) {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) {
    return TYPES.filter(([type]) => value.includes(type))
      .map(([, label]) => label.toLowerCase())
      .join(", ");
  }
  return field === "description" && !value ? "(nothing)" : `“${value}”`;
}
