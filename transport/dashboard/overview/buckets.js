// The hours, days, weeks or months of a period, so that those without visits are shown too. Pure functions.
import { instantOf, localOf } from "../shared/formats.js";
import { addDays, daysOf, isDate } from "../shared/period.js";

const HOUR = 3_600_000;
const MINUTE = 60_000;

// Returns the unit in which a span of days is drawn.
export function unitOf(days) {
  if (days <= 2) return "hour";
  if (days <= 92) return "day";
  return days <= 730 ? "week" : "month";
}

const DAYS = { hour: 1 / 24, day: 1, week: 7, month: 30 };
const MOST_BUCKETS = 400; // with those of the period before, they are fewer than the rows of an answer

// Returns the units in which a reader may have a span of days: two or more of each, and not too many.
export const unitsFor = (days) => Object.keys(DAYS).filter((unit) => days >= 2 * DAYS[unit] && days <= MOST_BUCKETS * DAYS[unit]);

// Returns {from, to} in dates or instants for a period that may have none: then the visits' first and last day are meant.
export function bounded(period, totals, zone) {
  const dateOf = (instant) => localOf(instant, zone).slice(0, 10);
  return { from: period.from ?? (totals?.first ? dateOf(totals.first) : null), to: period.to ?? (totals?.last ? dateOf(totals.last) : null) };
}

export const spanOf = ({ from, to }) => {
  if (!from || !to) return 1;
  return isDate(from) && isDate(to) ? daysOf({ from, to }) : Math.max((Date.parse(to) - Date.parse(from)) / (24 * HOUR), 1 / 24);
};

// Returns the instant at which a period begins.
export const startOf = ({ from }, zone) => (isDate(from) ? Date.parse(instantOf(`${from}T00:00`, zone)) : Date.parse(from));

// Returns the instant at which a period ends; it is not in it.
export const endOf = ({ to }, zone) => (isDate(to) ? Date.parse(instantOf(`${addDays(to, 1)}T00:00`, zone)) : Date.parse(to));

// Returns the instants at which the units begin.
export function begins({ from, to }, unit, zone) {
  if (!from || !to) return [];
  const start = startOf({ from }, zone);
  const end = endOf({ to }, zone);
  const times = [];
  // An hour begins by the zone's own clock, which may be half an hour beside others.
  const firstHour = start - Number(localOf(start, zone).slice(14, 16)) * MINUTE;
  if (unit === "hour") for (let time = firstHour; time < end; time += HOUR) times.push(time);
  else for (let date = firstDate(localOf(start, zone).slice(0, 10), unit); ; date = nextDate(date, unit)) {
    const time = Date.parse(instantOf(`${date}T00:00`, zone));
    if (time >= end) break;
    times.push(time);
  }
  return times;
}

function firstDate(date, unit) {
  if (unit === "month") return `${date.slice(0, 8)}01`;
  const weekday = (new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7; // weeks begin on Monday
  return unit === "week" ? addDays(date, -weekday) : date;
}

export function nextDate(date, unit) {
  if (unit === "day") return addDays(date, 1);
  if (unit === "week") return addDays(date, 7);
  const [year, month] = date.split("-").map(Number);
  return month === 12 ? `${year + 1}-01-01` : `${year}-${String(month + 1).padStart(2, "0")}-01`;
}

// Gives each row of the API to the bucket that begins nearest to it: where a clock skips midnight, a day begins later.
export function fill(times, rows, unit) {
  const buckets = times.map((time) => ({ time, visits: 0, visitors: 0 }));
  for (const row of rows) {
    const time = Date.parse(row[unit]);
    let index = times.findLastIndex((each) => each <= time + HOUR / 2);
    if (index + 1 < times.length && times[index + 1] - time < time - (times[index] ?? -Infinity)) index += 1;
    const bucket = buckets[Math.max(index, 0)];
    if (!bucket) continue;
    bucket.visits += row.visits;
    bucket.visitors += row.visitors;
  }
  return buckets;
}
