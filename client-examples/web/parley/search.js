/** Finding words in messages, whatever their case and their accents. Pure. */

const MARKS = /\p{M}/gu;

/**
 * Where a text has the wanted one.
 *
 * @param {string} text
 * @param {string} wanted
 * @returns {[number, number][]} from and to, in the text as it is
 */
export function ranges(text, wanted) {
  const needle = folded(wanted.trim()).text;
  if (!needle) return [];
  const { text: hay, at } = folded(text);
  const found = [];
  for (let from = hay.indexOf(needle); from >= 0; from = hay.indexOf(needle, from + needle.length))
    found.push([at[from], at[from + needle.length]]);
  return found;
}

/** The messages that have it, the newest first: readers look back from where they are. */
export function searched(messages, wanted) {
  return messages
    .filter((m) => m.content?.text && !m.deleted && ranges(m.content.text, wanted).length)
    .toReversed();
}

/** The text without case and accents, and where each of its parts was before: "É" is two of them. */
function folded(text) {
  let plain = "";
  const at = [];
  let index = 0;
  for (const char of text) {
    const simple = char.normalize("NFD").replace(MARKS, "").toLowerCase();
    for (let i = 0; i < simple.length; i += 1) at.push(index);
    plain += simple;
    index += char.length;
  }
  at.push(index);
  return { text: plain, at };
}
