// Draws what the API has no chart for: columns over time, ranked bars, a line of the last seconds.
import { element, shape } from "./elements.js";
import { drawToFit } from "./fit.js";
import { number } from "./formats.js";

const FLOOR = 150;
const LABELS = 26; // pixels below the floor
const TOP = 24; // above the highest value

// `items`: {value, label}. The first, the middle and the last have their label below.
export function columns(items, description) {
  const root = element("div", { class: "fitted" });
  drawToFit(root, (width) => columnsOf(items, description, width));
  return root;
}

function columnsOf(items, description, fullWidth) {
  const highest = Math.max(...items.map((item) => item.value), 1);
  const pitch = fullWidth / items.length;
  const parts = items.map(({ value, label }, index) => {
    const height = ((FLOOR - TOP) * value) / highest;
    const width = Math.max(Math.min(pitch * 0.75, 40), 1);
    const x = pitch * (index + 0.5) - width / 2;
    const column = shape("rect", { class: value === highest ? "mark" : "other", x, y: FLOOR - height, width, height, rx: Math.min(3, width / 3) });
    column.append(shape("title", {}, `${label}: ${number(value)}`));
    return column;
  });
  const labelIndexes = [...new Set([0, Math.floor((items.length - 1) / 2), items.length - 1])];
  const labels = labelIndexes.map((index) => {
    const anchor = labelIndexes.length > 1 && index === 0 ? "" : index === items.length - 1 && labelIndexes.length > 1 ? "end" : "middle";
    const x = anchor === "" ? 0 : anchor === "end" ? fullWidth : pitch * (index + 0.5);
    return shape("text", { class: `dim small ${anchor}`, x, y: FLOOR + 22 }, items[index].label);
  });
  const top = shape("text", { class: "dim small", x: 0, y: 14 }, number(highest));
  return svg(fullWidth, FLOOR + LABELS, description, [top, floor(fullWidth), ...parts, ...labels]);
}

// `items`: {label, value, note}. They are HTML, so that long names wrap and screen readers read them.
export function rankedBars(items) {
  const longest = Math.max(...items.map((item) => item.value), 1);
  return element("ol", { class: "bars" }, items.map(({ label, value, note }) => {
    const bar = element("span", { class: "bar" });
    bar.style.inlineSize = `${(100 * value) / longest}%`;
    return element(
      "li", {},
      element("span", { class: "bar-label" }, label),
      element("span", { class: "bar-note" }, note ?? ""),
      element("span", { class: "bar-value" }, number(value)),
      element("span", { class: "bar-track", "aria-hidden": "true" }, bar),
    );
  }));
}

// Draws the last seconds as an area, the newest at the right. `update(values)` draws other values.
export function secondsLine(seconds, description) {
  let values = [];
  const picture = element("div", { class: "fitted" });
  const redraw = drawToFit(picture, (width) => lineOf(values, seconds, description, width));
  return { picture, update: (newValues) => { values = newValues; redraw(); } };
}

function lineOf(values, seconds, description, width) {
  const highest = Math.max(...values, 1);
  const step = width / (seconds - 1);
  const points = values.map((value, index) => `${(width - (values.length - 1 - index) * step).toFixed(1)} ${(FLOOR - ((FLOOR - TOP) * value) / highest).toFixed(1)}`);
  const begin = (width - (values.length - 1) * step).toFixed(1);
  return svg(width, FLOOR + 4, description, [
    floor(width),
    points.length ? shape("path", { class: "area", d: `M${begin} ${FLOOR}L${points.join("L")}V${FLOOR}Z` }) : null,
    points.length ? shape("path", { class: "line", d: `M${points.join("L")}` }) : null,
    points.length ? shape("text", { class: "dim small end", x: width, y: 14 }, number(highest, { maximumFractionDigits: 1 })) : null,
  ]);
}

const floor = (width) => shape("path", { class: "rule", d: `M0 ${FLOOR + 0.5}H${width}` });

function svg(width, height, description, parts) {
  return shape("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": description }, parts);
}
