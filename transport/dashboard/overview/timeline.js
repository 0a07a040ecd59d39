// The chart of visits and visitors over time, with the visits of the period before behind them. A click on an hour, day,
// week or month makes it the period; its rows do the same by keyboard.
import { button, element, shape } from "../shared/elements.js";
import { day, dayAndMonth, dayWithWeekday, hourOfDay, localOf, moment, month, number } from "../shared/formats.js";
import { addDays, OWN, previousPeriod } from "../shared/period.js";
import { settings } from "../shared/settings.js";
import { table } from "../shared/tables.js";
import { translate } from "../shared/words.js";
import { begins, bounded, fill, nextDate, spanOf, unitOf } from "./buckets.js";
import { card } from "./card.js";
import { MOST } from "./stats.js";

const HEIGHT = 240;
const TOP = 24;
const FLOOR = 210;
const SIDE = 8;
const LABELS = 7;

export function timelineCard({ reader, span, onPeriod, signal }) {
  const buckets = async (period, unit) => {
    const answer = await reader.stats({ group_by: unit, limit: MOST }, period);
    const bounds = bounded(period, null, settings.tz);
    return { text: answer.text, buckets: fill(begins(bounds, unit, settings.tz), answer.items, unit) };
  };

  async function load() {
    const { unit, bounds } = await span();
    if (!bounds.from) return { text: "", now: [], then: null, unit };
    const before = previousPeriod(reader.period());
    const { items, text } = await reader.stats({ group_by: unit, limit: MOST });
    const now = fill(begins(bounds, unit, settings.tz), items, unit);
    const then = before ? await buckets(before, unit) : null;
    return { text: `${text} ${then?.text}`, now, then: then?.buckets, unit };
  }

  function draw({ now, then, unit }) {
    if (!now.length) return element("p", { class: "dim" }, translate("no-data"));
    const root = element("div", { class: "timeline" });
    const choose = (bucket) => onPeriod(periodOf(bucket, unit));
    // The picture grows with the letters of the page, which are larger on a wall.
    const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    watchWidth(root, (width) => root.replaceChildren(chart({ now, then, unit, width: width / scale, choose })), signal);
    return [legend(Boolean(then)), root, rowsTable({ now, then, unit, choose })];
  }

  const rows = async () => {
    const { now, unit } = await load();
    return { names: [unit, "visits", "visitors"], rows: now.map((bucket) => ({ ...bucket, [unit]: new Date(bucket.time).toISOString() })) };
  };
  return card("timeline", { load, draw, rows, wide: true }, signal);
}

// Resolves what the period's span is drawn in; all time goes from the first visit to the last.
export async function measure(reader) {
  const period = reader.period();
  const totals = period.from && period.to ? null : (await reader.totals()).items[0];
  const bounds = bounded(period, totals, settings.tz);
  return { bounds, unit: unitOf(spanOf(bounds)) };
}

function periodOf({ time }, unit) {
  if (unit === "hour") {
    const text = (milliseconds) => new Date(milliseconds).toISOString().replace(".000Z", "Z");
    return { period: OWN, from: text(time), to: text(time + 3_600_000) };
  }
  const from = localOf(time, settings.tz).slice(0, 10);
  return { period: OWN, from, to: addDays(nextDate(from, unit), -1) };
}

const LABEL = { hour: hourOfDay, day: dayAndMonth, week: dayAndMonth, month };
const NAME = { hour: moment, day: dayWithWeekday, week: (time, zone) => translate("week-of", day(time, zone)), month };

function legend(hasBefore) {
  return element("p", { class: "legend" },
    element("span", { class: "key visits" }, translate("total.visits")), element("span", { class: "key visitors" }, translate("total.visitors")),
    hasBefore ? element("span", { class: "key before" }, translate("visits-before")) : null);
}

function chart({ now, then, unit, width, choose }) {
  const most = Math.max(...now.map((bucket) => bucket.visits), ...(then ?? []).map((bucket) => bucket.visits), 1);
  const pitch = (width - 2 * SIDE) / now.length;
  const x = (index) => SIDE + pitch * (index + 0.5);
  const y = (value) => FLOOR - ((FLOOR - TOP) * value) / most;
  const line = (buckets, name) => buckets.map((bucket, index) => `${x(index).toFixed(1)} ${y(bucket[name]).toFixed(1)}`).join("L");
  const bars = now.map((bucket, index) => shape("rect", { class: "mark", x: (x(index) - pitch * 0.38).toFixed(1), y: y(bucket.visits).toFixed(1), width: (pitch * 0.76).toFixed(1), height: (FLOOR - y(bucket.visits)).toFixed(1), rx: Math.min(3, pitch / 5) }));
  const bands = now.map((bucket, index) => shape("rect", { class: "band", x: (x(index) - pitch / 2).toFixed(1), y: 0, width: pitch.toFixed(1), height: FLOOR, onclick: () => choose(bucket) },
    shape("title", {}, describe(bucket, then?.[index], unit))));
  const step = Math.max(1, Math.ceil(now.length / Math.max(2, Math.min(LABELS, Math.floor(width / 90)))));
  const labels = now.flatMap((bucket, index) => (index % step || x(index) + 30 > width) ? [] : [shape("text", { class: "dim small middle", x: Math.max(x(index), 26), y: FLOOR + 20 }, LABEL[unit](bucket.time, settings.tz))]);
  return shape("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": translate("card.timeline") },
    shape("path", { class: "rule", d: `M${SIDE} ${FLOOR + 0.5}H${width - SIDE}M${SIDE} ${TOP + 0.5}H${width - SIDE}` }),
    shape("text", { class: "dim small", x: SIDE, y: TOP - 6 }, number(most)),
    bars,
    then?.length ? shape("path", { class: "before", d: `M${line(then.slice(0, now.length), "visits")}` }) : null,
    shape("path", { class: "visitors", d: `M${line(now, "visitors")}` }), bands, labels);
}

const describe = (bucket, before, unit) => [
  NAME[unit](bucket.time, settings.tz), `${translate("total.visits")}: ${number(bucket.visits)}`, `${translate("total.visitors")}: ${number(bucket.visitors)}`,
  before ? `${translate("visits-before")}: ${number(before.visits)}` : "",
].filter(Boolean).join("\n");

function rowsTable({ now, then, unit, choose }) {
  const columns = [
    { label: translate(`unit-name.${unit}`), of: (row) => button(NAME[unit](row.time, settings.tz), () => choose(row), { class: "link" }) },
    { label: translate("total.visits"), numeric: true, of: (row) => number(row.visits) },
    { label: translate("total.visitors"), numeric: true, of: (row) => number(row.visitors) },
    ...(then ? [{ label: translate("visits-before"), numeric: true, of: (row) => number(then[now.indexOf(row)]?.visits ?? 0) }] : []),
  ];
  const details = element("details", {}, element("summary", {}, translate("rows")));
  details.addEventListener("toggle", () => details.append(element("div", { class: "scroll" }, table(translate("card.timeline"), columns, now))), { once: true });
  return details;
}

// Calls `draw` with the width of an element, now that it is shown and whenever it changes.
function watchWidth(root, draw, signal) {
  let width = 0;
  const observer = new ResizeObserver(() => {
    if (!root.isConnected) return observer.disconnect();
    if (!root.clientWidth || root.clientWidth === width) return;
    width = root.clientWidth;
    draw(width);
  });
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());
}
