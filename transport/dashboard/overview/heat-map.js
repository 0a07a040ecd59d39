// Visits by weekday and hour of the reader's zone: the more, the stronger the colour.
import { element } from "../shared/elements.js";
import { localOf, number, weekdayName } from "../shared/formats.js";
import { addDays, isDate } from "../shared/period.js";
import { isShare } from "../shared/session.js";
import { settings } from "../shared/settings.js";
import { scroller } from "../shared/tables.js";
import { translate } from "../shared/words.js";
import { spanOf } from "./buckets.js";
import { card } from "./card.js";
import { MOST } from "./stats.js";

const MOST_DAYS = Math.floor(MOST / 24) - 1; // so that all hours are in one answer, also where a clock repeats one
const STEPS = 4;
const THOUSAND = 1000; // from here on cells have no room for exact numbers, which are in their titles and in CSV

export function heatMapCard({ reader, series, span, signal }) {
  async function load() {
    const { bounds, unit } = await span();
    if (unit === "hour") {
      const { text, now } = await series(); // the chart has the same hours
      return { text, items: now.filter(({ visits }) => visits).map(({ time, visits }) => ({ hour: time, visits })), isCut: false };
    }
    if (!bounds.to) return { text: "", items: [], isCut: false };
    const isCut = spanOf(bounds) > MOST_DAYS;
    if (isCut && isShare()) return { text: "", items: [], isCut }; // a link reads its own period alone
    const period = isCut ? { from: daysBefore(bounds.to, MOST_DAYS), to: bounds.to } : reader.period();
    return { ...(await reader.stats({ group_by: "hour", limit: MOST }, period)), isCut };
  }

  function draw({ items, isCut }) {
    if (!items.length) return element("p", { class: "dim" }, translate(isCut && isShare() ? "heat-not-shared" : "no-data"));
    const cells = fold(items);
    const most = Math.max(...cells.flat());
    const hours = element("tr", {}, element("td", {}), Array.from({ length: 24 }, (_, hour) => element("th", { scope: "col" }, hour % 3 ? element("span", { class: "unseen" }, String(hour)) : String(hour))));
    const rows = cells.map((row, weekday) => element("tr", {}, element("th", { scope: "row" }, weekdayName(weekday)), row.map((visits, hour) => cell(visits, most, weekday, hour))));
    return [
      isCut ? element("p", { class: "dim small-print" }, translate("heat-cut", MOST_DAYS)) : "",
      scroller(translate("card.hours"),
        element("table", { class: "heat-map" }, element("caption", { class: "unseen" }, translate("card.hours")), element("thead", {}, hours), element("tbody", {}, rows))),
    ];
  }

  const rows = async () => ({
    names: ["weekday", "hour", "visits"],
    rows: fold((await load()).items).flatMap((row, weekday) => row.map((visits, hour) => ({ weekday: weekdayName(weekday), hour, visits }))),
  });
  return card("hours", { load, draw, rows, wide: true }, signal);
}

const daysBefore = (to, days) => (isDate(to) ? addDays(to, 1 - days) : new Date(Date.parse(to) - days * 86_400_000).toISOString().replace(".000Z", "Z"));

// Sums the visits of instants by weekday, Monday first, and hour.
function fold(items) {
  const cells = Array.from({ length: 7 }, () => new Array(24).fill(0));
  for (const { hour, visits } of items) {
    const local = localOf(hour, settings.tz);
    cells[(new Date(`${local}Z`).getUTCDay() + 6) % 7][Number(local.slice(11, 13))] += visits;
  }
  return cells;
}

function cell(visits, most, weekday, hour) {
  // The square root leaves differences among the others where one hour has ten times the visits of the next.
  const strength = visits ? Math.ceil(STEPS * Math.sqrt(visits / most)) : 0;
  return element("td", { class: `heat-${strength}`, title: `${weekdayName(weekday)} ${hour}:00 · ${number(visits)}` }, element("span", {}, short(visits)));
}

// "1.2 thousand" has no room in most languages, the prefixes of units have.
function short(count) {
  const power = count < THOUSAND ? 0 : count < THOUSAND ** 2 ? 1 : 2;
  return power ? `${number(count / THOUSAND ** power, { maximumSignificantDigits: 2 })}${translate("prefixes")[power - 1]}` : number(count);
}
