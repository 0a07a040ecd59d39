// Visits and visitors of each hour, day, week or month of the period, and of the equally long one before: one answer for
// the chart and the spark lines of the totals.
import { previousPeriod } from "../shared/period.js";
import { isShare } from "../shared/session.js";
import { settings } from "../shared/settings.js";
import { begins, bounded, fill, spanOf, startOf, unitOf } from "./buckets.js";
import { MOST } from "./stats.js";

const TOLERANCE = { hour: 1_800_000, day: 7_200_000, week: 7_200_000, month: 7_200_000 }; // a clock may skip midnight
const LONGEST = 80 * 366; // days, whose months are fewer than the rows of an answer

// Resolves to what the period's span is drawn in; all time, and centuries, go from the first visit to the last.
export async function measure(reader) {
  const period = reader.period();
  if (period.from && period.to && spanOf(period) <= LONGEST) return { bounds: period, unit: unitOf(spanOf(period)) };
  const totals = (await reader.totals()).items[0];
  const open = bounded(period, totals, settings.tz);
  const bounds = spanOf(open) <= LONGEST ? open : bounded({}, totals, settings.tz);
  return { bounds, unit: unitOf(spanOf(bounds)) };
}

// Resolves to {text, unit, bounds, now, then}: the text tells whether anything changed; `then` is null without a period
// before.
export async function readSeries(reader, { unit, bounds }) {
  if (!bounds.from) return { text: "", unit, bounds, now: [], then: null };
  const { tz } = settings;
  const query = { group_by: unit, limit: MOST };
  const period = reader.period();
  const before = period.from === bounds.from && period.to === bounds.to ? previousPeriod(period) : null;
  const times = begins(bounds, unit, tz);
  const start = startOf(bounds, tz);
  // The key of a share reads either period, and both apart.
  if (before && times[0] === start && !isShare()) {
    const { text, items } = await reader.stats(query, { from: before.from, to: bounds.to });
    const isNow = (row) => Date.parse(row[unit]) >= start - TOLERANCE[unit];
    return { text, unit, bounds, now: fill(times, items.filter(isNow), unit), then: fill(begins(before, unit, tz), items.filter((row) => !isNow(row)), unit) };
  }
  const [current, previous] = await Promise.all([reader.stats(query), before ? reader.stats(query, before) : null]);
  return {
    text: `${current.text} ${previous?.text}`, unit, bounds, now: fill(times, current.items, unit),
    then: previous && fill(begins(before, unit, tz), previous.items, unit),
  };
}
