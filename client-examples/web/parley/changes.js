/** Editing a room while others may edit it, too: what was changed here, what there. Pure. */

/** What can be changed, flat, as a form holds it. */
export function formOf(info) {
  const { name, description = "", settings = {} } = info;
  return { name, description, ...settings };
}

/**
 * What `update_room` is asked to change.
 *
 * @param {object} base   the form as it was when editing began
 * @param {object} mine   the form now
 * @returns {object|null} null if nothing is different
 */
export function changesOf(base, mine) {
  const { name, description, ...settings } = Object.fromEntries(
    Object.entries(mine).filter(([field, value]) => !same(value, base[field])),
  );
  const changes = {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(Object.keys(settings).length ? { settings } : {}),
  };
  return Object.keys(changes).length ? changes : null;
}

/**
 * What somebody else has changed meanwhile.
 *
 * @returns {{field: string, theirs: any, mine: any, touched: boolean}[]}   touched: this user had
 *   changed the field, too, and saving again overrules the other
 */
export function differences(base, theirs, mine) {
  return Object.keys(theirs)
    .filter((field) => !same(theirs[field], base[field]) && !same(theirs[field], mine[field]))
    .map((field) => ({
      field,
      theirs: theirs[field],
      mine: mine[field],
      touched: !same(mine[field], base[field]),
    }));
}

/** The form to go on with: what this user changed stays, the rest becomes what it is now. */
export function rebased(base, theirs, mine) {
  return Object.fromEntries(
    Object.keys(mine).map((field) => [
      field,
      same(mine[field], base[field]) ? (theirs[field] ?? mine[field]) : mine[field],
    ]),
  );
}

/** Lists are sets here: of types that are allowed. */
function same(a, b) {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item) => b.includes(item));
}
