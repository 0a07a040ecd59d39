// Draws what the API has no chart for: columns over time, ranked bars, a line of the last seconds.
import { element, shape } from "./elements.js";
import { number } from "./formats.js";

const WIDTH = 480;
const HEIGHT = 180;
const FLOOR = 140;
const SIDE = 16;

// `items`: {value, label}. The first, the middle and the last have their label below.
export function columns(items, description) {
  const highest = Math.max(...items.map((item) => item.value), 1);
  const pitch = (WIDTH - 2 * SIDE) / items.length;
  const parts = items.map(({ value, label }, index) => {
    const height = ((FLOOR - 30) * value) / highest;
    const width = Math.max(Math.min(pitch * 0.75, 40), 1);
    const x = SIDE + pitch * (index + 0.5) - width / 2;
    const column = shape("rect", { class: value === highest ? "mark" : "other", x, y: FLOOR - height, width, height, rx: Math.min(3, width / 3) });
    column.append(shape("title", {}, `${label}: ${number(value)}`));
    return column;
  });
  const labelIndexes = [...new Set([0, Math.floor((items.length - 1) / 2), items.length - 1])];
  const labels = labelIndexes.map((index) => {
    const anchor = labelIndexes.length > 1 && index === 0 ? "" : index === items.length - 1 && labelIndexes.length > 1 ? "end" : "middle";
    const x = anchor === "" ? SIDE : anchor === "end" ? WIDTH - SIDE : SIDE + pitch * (index + 0.5);
    return shape("text", { class: `dim small ${anchor}`, x, y: FLOOR + 22 }, items[index].label);
  });
  const top = shape("text", { class: "dim small", x: SIDE, y: 16 }, number(highest));
  const line = shape("path", { class: "rule", d: `M${SIDE} ${FLOOR + 0.5}H${WIDTH - SIDE}` });
  return svg(HEIGHT, description, [top, line, ...parts, ...labels]);
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
  const area = shape("path", { class: "area" });
  const line = shape("path", { class: "line" });
  const peak = shape("text", { class: "dim small end", x: WIDTH - SIDE, y: 18 });
  const floor = shape("path", { class: "rule", d: `M${SIDE} ${FLOOR + 0.5}H${WIDTH - SIDE}` });
  const picture = svg(FLOOR + 10, description, [floor, area, line, peak]);
  function update(values) {
    const highest = Math.max(...values, 1);
    const step = (WIDTH - 2 * SIDE) / (seconds - 1);
    const points = values.map((value, index) => {
      const x = WIDTH - SIDE - (values.length - 1 - index) * step;
      return `${x.toFixed(1)} ${(FLOOR - ((FLOOR - 30) * value) / highest).toFixed(1)}`;
    });
    if (!points.length) return;
    const begin = (WIDTH - SIDE - (values.length - 1) * step).toFixed(1);
    line.setAttribute("d", `M${points.join("L")}`);
    area.setAttribute("d", `M${begin} ${FLOOR}L${points.join("L")}V${FLOOR}Z`);
    peak.textContent = number(highest, { maximumFractionDigits: 1 });
  }
  return { picture, update };
}

function svg(height, description, parts) {
  return shape("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": description }, ...parts);
}
