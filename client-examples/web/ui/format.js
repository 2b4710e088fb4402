/** Times, counts and names as people read them. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "long",
  year: "numeric",
});
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const LONG_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

export const clock = (time) => CLOCK.format(new Date(time));

export const fullTime = (time) => FULL.format(new Date(time));

/** A key that is equal for times of the same day here. */
export function dayKey(time) {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** "Today", "Yesterday", or the day. */
export function dayName(time, now = Date.now()) {
  const date = new Date(time);
  if (dayKey(date) === dayKey(now)) return "Today";
  if (dayKey(date) === dayKey(dayBefore(now))) return "Yesterday";
  const thisYear = date.getFullYear() === new Date(now).getFullYear();
  return (thisYear ? DAY : DAY_OF_YEAR).format(date);
}

/** For the room list: a clock time today, a weekday this week, a date before. */
export function shortTime(time, now = Date.now()) {
  if (dayKey(time) === dayKey(now)) return clock(time);
  if (dayKey(time) === dayKey(dayBefore(now))) return "Yesterday";
  const days = (now - new Date(time).getTime()) / 86_400_000;
  return days < 6 ? WEEKDAY.format(new Date(time)) : SHORT_DAY.format(new Date(time));
}

const LONG = 300 * 86_400_000; // ms; who is muted for so long is muted until somebody ends it

/** "10 minutes", "1 hour", "3 days"; null for so long that it has no end in practice. */
export function duration(ms) {
  if (ms > LONG) return null;
  const units = [
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ];
  const [size, word] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1000, "second"];
  return plural(Math.round(ms / size), word);
}

/** "until 3:40 PM", with the day if that is another one; null where it has no end in practice. */
export function until(time, now = Date.now()) {
  const left = new Date(time).getTime() - now;
  if (left > LONG) return null;
  const day = dayKey(time) === dayKey(now) ? "" : `${SHORT_DAY.format(new Date(time))}, `;
  return `until ${day}${clock(time)}`;
}

/** "just now", "5 minutes ago", "3 hours ago", "yesterday", "on 3 May". */
export function ago(time, now = Date.now()) {
  const minutes = Math.floor((now - new Date(time).getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${plural(minutes, "minute")} ago`;
  if (dayKey(time) === dayKey(now) || minutes < 6 * 60)
    return `${plural(Math.floor(minutes / 60), "hour")} ago`;
  if (dayKey(time) === dayKey(dayBefore(now))) return "yesterday";
  const thisYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return `on ${(thisYear ? SHORT_DAY : LONG_DAY).format(new Date(time))}`;
}

/** By the calendar: a day is not always 24 hours. */
function dayBefore(now) {
  const date = new Date(now);
  date.setDate(date.getDate() - 1);
  return date;
}

/** A badge: the server stops counting at 1,000, a reader long before. */
export const count = (number) => (number > 99 ? "99+" : String(number));

export const plural = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** "ann", "ann and bob", "ann, bob and 3 others". */
export function names(users, most = 3) {
  if (users.length <= 1) return users[0] ?? "";
  if (users.length <= most) return `${users.slice(0, -1).join(", ")} and ${users.at(-1)}`;
  const rest = users.length - most + 1;
  return `${users.slice(0, most - 1).join(", ")} and ${plural(rest, "other")}`;
}

/** The server's words as a sentence: "not a member of this room" → "Not a member of this room." */
export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/u.test(begun) ? begun : `${begun}.`;
}
