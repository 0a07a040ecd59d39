// The chart of visits and visitors over time, with the visits of the period before behind them. A click on an hour, day,
// week or month makes it the period; its rows do the same by keyboard.
import { button, element, select, shape } from "../shared/elements.js";
import { day, dayAndMonth, dayWithWeekday, hourOfDay, localOf, moment, month, number, signedPercent } from "../shared/formats.js";
import { drawToFit } from "../shared/fit.js";
import { addDays, isDate, OWN } from "../shared/period.js";
import { newestTime, settings } from "../shared/settings.js";
import { scroller, table } from "../shared/tables.js";
import { translate } from "../shared/words.js";
import { endOf, nextDate, spanOf, unitsFor } from "./buckets.js";
import { card } from "./card.js";
import { readSeries } from "./series.js";

const HEIGHT = 240;
const TOP = 12;
const FLOOR = 210;
const SIDE = 8;
const LETTER = 7.5; // wide, of the labels of lines
const LABELS = 7;
const DAY_HOURS = 24;

export function timelineCard({ reader, own, setOwn, span, series, onPeriod, signal }) {
  // The spark lines keep the unit of the span; a reader may choose another for the chart.
  async function load() {
    const { bounds, unit } = await span();
    const units = unitsFor(spanOf(bounds));
    const isChosen = own.unit !== unit && units.includes(own.unit);
    const answer = isChosen ? await readSeries(reader, { bounds, unit: own.unit }) : await series();
    return { ...answer, text: `${answer.unit} ${answer.text}`, units, usual: unit };
  }

  function unitChoice({ unit, units, usual }) {
    if (units.length < 2 || !units.includes(unit)) return null;
    return select(units.map((name) => [name, translate(`unit-name.${name}`)]), unit, { "aria-label": translate("unit"), onchange: async ({ target }) => {
      setOwn({ unit: target.value === usual ? "" : target.value });
      await made.refresh();
      made.root.querySelector("select")?.focus(); // the card was drawn anew
    } });
  }

  function draw({ now, then, unit, bounds, ...choice }) {
    if (!now.length) return element("p", { class: "dim" }, translate("no-data"));
    const root = element("div", { class: "timeline fitted" });
    const choose = onPeriod && ((bucket) => onPeriod(periodOf(bucket, unit, bounds)));
    const open = openIndex(now, bounds);
    // What is under the pointer, at once; its rows say the same by keyboard.
    const readout = element("p", { class: "readout", "aria-hidden": "true" });
    const point = (bucket) => { readout.textContent = bucket ? describe(bucket, then?.[now.indexOf(bucket)], unit) : ""; };
    drawToFit(root, (width) => chart({ now, then, open, unit, width, choose, point }));
    return [legend(Boolean(then), open >= 0, unitChoice({ unit, ...choice }), readout), root, rowsTable({ now, then, unit, choose })];
  }

  const rows = async () => {
    const { now, unit } = await load();
    return { names: [unit, "visits", "visitors"], rows: now.map((bucket) => ({ ...bucket, [unit]: new Date(bucket.time).toISOString() })) };
  };
  const made = card("timeline", { load, draw, rows, wide: true }, signal);
  return made;
}

// Returns the index of the bucket in which the newest visit is, which may get more; -1 if the period ends before.
function openIndex(now, bounds) {
  const newest = Date.parse(newestTime() ?? "");
  return newest < endOf(bounds, settings.tz) ? now.findLastIndex((bucket) => bucket.time <= newest) : -1;
}

// A week or a month that begins before the period, or ends after it, is what the period has of it.
function periodOf({ time }, unit, bounds) {
  if (unit === "hour") {
    const text = (milliseconds) => new Date(milliseconds).toISOString().replace(".000Z", "Z");
    return { period: OWN, from: text(time), to: text(time + 3_600_000) };
  }
  const from = localOf(time, settings.tz).slice(0, 10);
  const to = addDays(nextDate(from, unit), -1);
  if (!isDate(bounds.from) || !isDate(bounds.to)) return { period: OWN, from, to };
  return { period: OWN, from: from < bounds.from ? bounds.from : from, to: to > bounds.to ? bounds.to : to };
}

const LABEL = { hour: hourOfDay, day: dayAndMonth, week: dayAndMonth, month };
const NAME = { hour: moment, day: dayWithWeekday, week: (time, zone) => translate("week-of", day(time, zone)), month };

function legend(hasBefore, hasOpen, ...others) {
  return element("div", { class: "legend" },
    element("span", { class: "key visits" }, translate("total.visits")), hasOpen ? element("span", { class: "key open" }, translate("so-far")) : null, element("span", { class: "key visitors" }, translate("total.visitors")),
    hasBefore ? element("span", { class: "key before" }, translate("visits-before")) : null, others);
}

function chart({ now, then, open, unit, width, choose, point }) {
  const most = Math.max(...now.map((bucket) => bucket.visits), ...(then ?? []).map((bucket) => bucket.visits), 1);
  const lines = linesUpTo(most);
  const left = SIDE + LETTER * number(lines.at(-1)).length;
  const pitch = (width - left - SIDE) / now.length;
  const x = (index) => left + pitch * (index + 0.5);
  const y = (value) => FLOOR - ((FLOOR - TOP) * value) / lines.at(-1);
  const line = (buckets, name) => buckets.map((bucket, index) => `${x(index).toFixed(1)} ${y(bucket[name]).toFixed(1)}`).join("L");
  const bars = now.map((bucket, index) => shape("rect", { class: index === open ? "mark open" : "mark", x: (x(index) - pitch * 0.38).toFixed(1), y: y(bucket.visits).toFixed(1), width: (pitch * 0.76).toFixed(1), height: (FLOOR - y(bucket.visits)).toFixed(1), rx: Math.min(3, pitch / 5) }));
  const bands = now.map((bucket, index) => shape("rect", { class: "band", x: (x(index) - pitch / 2).toFixed(1), y: 0, width: pitch.toFixed(1), height: FLOOR, onclick: choose && (() => choose(bucket)), onpointerenter: () => point(bucket) }));
  const isLong = unit === "hour" && now.length > 2 * DAY_HOURS; // hours of many days are labelled by the days
  const least = Math.max(1, Math.ceil(now.length / Math.max(2, Math.min(LABELS, Math.floor(width / 90)))));
  const step = isLong ? DAY_HOURS * Math.ceil(least / DAY_HOURS) : least;
  const labels = now.flatMap((bucket, index) => (index % step || x(index) + 30 > width) ? [] : [shape("text", { class: "dim small middle", x: Math.max(x(index), 26), y: FLOOR + 20 }, LABEL[isLong ? "day" : unit](bucket.time, settings.tz))]);
  return shape("svg", { class: choose ? "chart choices" : "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": translate("card.timeline"), onpointerleave: () => point(null) },
    shape("path", { class: "rule", d: [0, ...lines].map((value) => `M${left} ${Math.round(y(value)) + 0.5}H${width - SIDE}`).join("") }),
    lines.map((value) => shape("text", { class: "dim small end", x: left - 6, y: y(value) + 4 }, number(value))),
    bars,
    then?.length ? shape("path", { class: "before", d: `M${line(then.slice(0, now.length), "visits")}` }) : null,
    shape("path", { class: "visitors", d: `M${line(now, "visitors")}` }), bands, labels);
}

// Returns the values of two to five lines, the last of which is the first round one that no value exceeds.
function linesUpTo(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most / 4, 1)));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each * 5 >= most && Math.ceil(most / each) <= 5);
  return Array.from({ length: Math.ceil(most / step) }, (_, index) => (index + 1) * step);
}

const describe = (bucket, before, unit) => [
  NAME[unit](bucket.time, settings.tz), `${translate("total.visits")}: ${number(bucket.visits)}`,
  before ? `${translate("before", number(before.visits))}${before.visits ? ` (${signedPercent(bucket.visits / before.visits - 1)})` : ""}` : "",
  `${translate("total.visitors")}: ${number(bucket.visitors)}`,
].filter(Boolean).join(" · ");

function rowsTable({ now, then, unit, choose }) {
  const columns = [
    { label: translate(`unit-name.${unit}`), of: (row) => (choose ? button(NAME[unit](row.time, settings.tz), () => choose(row), { class: "link" }) : NAME[unit](row.time, settings.tz)) },
    { label: translate("total.visits"), numeric: true, of: (row) => number(row.visits) },
    { label: translate("total.visitors"), numeric: true, of: (row) => number(row.visitors) },
    ...(then ? [{ label: translate("visits-before"), numeric: true, of: (row) => number(then[now.indexOf(row)]?.visits ?? 0) }] : []),
  ];
  const details = element("details", {}, element("summary", {}, translate("rows")));
  details.addEventListener("toggle", () => details.append(scroller(translate("card.timeline"), table(translate("card.timeline"), columns, now))), { once: true });
  return details;
}
