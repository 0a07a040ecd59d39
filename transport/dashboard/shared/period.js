// Periods: a preset, which ends at the newest visit (a log is often older than today), or from … to. Pure functions.
import { localOf } from "./formats.js";

export const PRESETS = ["today", "24h", "7d", "30d", "90d", "month", "last-month", "year", "all"];
export const OWN = "own";

const DAY = 86_400_000;
const QUARTER = 900_000;
const DATE = /^\d{4}-\d\d-\d\d$/;
const FIRST = "1970-01-01";
const FIRST_YEAR = Date.parse("0001-01-01T00:00Z");
const LAST = "9998-12-31";

const dateOf = (milliseconds) => new Date(milliseconds).toISOString().slice(0, 10);
const instantText = (milliseconds) => new Date(milliseconds).toISOString().replace(".000Z", "Z");
export const isDate = (text) => DATE.test(text);
export const addDays = (date, days) => dateOf(Date.parse(date) + days * DAY);

// Returns {from, to} as the API takes them: dates, both included, or instants, the second not included; nothing for all.
export function resolvePeriod({ period, from, to }, newest, zone) {
  if (period === OWN) return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
  const today = localOf(newest, zone).slice(0, 10);
  const lastDays = /^(\d+)d$/.exec(period);
  if (lastDays) return { from: addDays(today, 1 - Number(lastDays[1])), to: today };
  if (period === "today") return { from: today, to: today };
  if (period === "month") return { from: `${today.slice(0, 8)}01`, to: today };
  if (period === "year") return { from: `${today.slice(0, 5)}01-01`, to: today };
  if (period === "last-month") {
    const end = addDays(`${today.slice(0, 8)}01`, -1);
    return { from: `${end.slice(0, 8)}01`, to: end };
  }
  if (period === "24h") {
    const end = (Math.floor(Date.parse(newest) / QUARTER) + 1) * QUARTER;
    return { from: instantText(end - DAY), to: instantText(end) };
  }
  return {};
}

// Returns the equally long period before; null if the period has no beginning or no end, or the years have none before it.
export function previousPeriod({ from, to }) {
  if (!from || !to || isDate(from) !== isDate(to) || 2 * Date.parse(from) - Date.parse(to) - DAY < FIRST_YEAR) return null;
  if (isDate(from)) {
    const days = daysOf({ from, to });
    return { from: addDays(from, -days), to: addDays(from, -1) };
  }
  return { from: instantText(2 * Date.parse(from) - Date.parse(to)), to: from };
}

// Returns the period that is as long and ends where this one begins, or begins where it ends; a whole month steps to the
// next month. Null if the period has no beginning or no end.
export function steppedPeriod({ from, to }, direction) {
  const before = previousPeriod({ from, to });
  if (!before || (direction < 0 && !isMonth({ from, to }))) return before;
  if (!isDate(from)) return { from: to, to: instantText(2 * Date.parse(to) - Date.parse(from)) };
  const start = direction < 0 ? `${addDays(from, -1).slice(0, 8)}01` : addDays(to, 1);
  return isMonth({ from, to }) ? { from: start, to: lastOfMonth(start) } : { from: start, to: addDays(to, daysOf({ from, to })) };
}

const lastOfMonth = (date) => addDays(`${addDays(`${date.slice(0, 8)}01`, 31).slice(0, 8)}01`, -1);
const isMonth = ({ from, to }) => isDate(from) && from.endsWith("-01") && to === lastOfMonth(from);

// Returns how many days a period has; null if it has no beginning or no end.
export function daysOf({ from, to }) {
  if (!from || !to) return null;
  return Math.max(Math.round((Date.parse(to) - Date.parse(from)) / DAY) + (isDate(to) ? 1 : 0), 1);
}

// Returns {field, word} of what is wrong with a chosen period; null if nothing is.
export function periodProblem({ period, from, to }) {
  if (period !== OWN) return null;
  for (const [field, value] of [["from", from], ["to", to]]) if (value && !isTime(value)) return { field, word: "no-date" };
  if (!from && !to) return { field: "from", word: "no-dates" };
  if (from && to && (isDate(from) && isDate(to) ? from > to : Date.parse(from) >= Date.parse(to) + (isDate(to) ? DAY : 0))) return { field: "to", word: "ends-before" };
  return null;
}

function isTime(text) {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds) || !/^\d{4}-/.test(text)) return false;
  if (text.slice(0, 10) < FIRST || text.slice(0, 10) > LAST) return false;
  return isDate(text) ? dateOf(milliseconds) === text : milliseconds % QUARTER === 0; // 30 February is none
}
