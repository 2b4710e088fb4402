/** Completing names behind an @, as data. Pure. */

const MOST = 8; // offered at once
const BEGUN = /(?<=^|[\s(])@([A-Za-z0-9._@-]{0,64})$/u;

/**
 * The name that is being written, if the cursor is in one.
 *
 * @returns {{start: number, wanted: string}|null}   where its @ is, and what follows that
 */
export function begun(text, caret) {
  const match = text.slice(0, caret).match(BEGUN);
  return match && { start: match.index, wanted: match[1] };
}

/**
 * Who may be meant: those whose id begins so first, then by name, then by any part; among equals
 * who spoke last.
 *
 * @param {{user_id: string, name?: string}[]} people
 * @param {string} wanted
 * @param {string[]} [recent]   user ids, who spoke last first
 */
export function candidates(people, wanted, recent = []) {
  const text = wanted.toLowerCase();
  const spoke = (user) => (recent.includes(user) ? recent.indexOf(user) : recent.length);
  return people
    .map((person) => ({ ...person, fit: fit(person, text) }))
    .filter((person) => person.fit < 3)
    .sort(
      (a, b) =>
        a.fit - b.fit || spoke(a.user_id) - spoke(b.user_id) || a.user_id.localeCompare(b.user_id),
    )
    .slice(0, MOST)
    .map(({ fit: _, ...person }) => person);
}

function fit({ user_id: id, name = "" }, text) {
  const [user, called] = [id.toLowerCase(), name.toLowerCase()];
  if (user.startsWith(text)) return 0;
  if (called.split(/\s+/u).some((word) => word.startsWith(text))) return 1;
  const inside = text.length > 1 && (user.includes(text) || called.includes(text));
  return inside ? 2 : 3;
}

/** The text with the name completed, and where the cursor goes. */
export function completed(text, caret, start, user) {
  const rest = text.slice(caret);
  const before = `${text.slice(0, start)}@${user}`;
  const space = /^\s/u.test(rest) ? "" : " ";
  return { text: before + space + rest, caret: before.length + 1 };
}
