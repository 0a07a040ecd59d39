// The numbers in the first row: visits, visitors, views, carts, paid carts and conversion, each with its change against
// the equally long period before, and a spark line.
import { element, shape } from "../shared/elements.js";
import { number, percent, signedPercent } from "../shared/formats.js";
import { previousPeriod } from "../shared/period.js";
import { settings } from "../shared/settings.js";
import { problemText } from "../shared/forms.js";
import { translate } from "../shared/words.js";
import { begins, fill } from "./buckets.js";
import { filtersOf, MOST } from "./stats.js";

const VIEWS = ["main", "category", "product"];
const NOT_OF_PAID = ["category", "kind", "page_url", "status"]; // filters that a paid cart's line hardly passes
const WIDTH = 120;
const HEIGHT = 28;

export function totalTiles({ reader, own, span, signal }) {
  const hasFilters = () => Object.keys(filtersOf(own)).length > 0;
  const totals = async () => (await reader.totals()).items[0];
  const kinds = async () => new Map((await reader.kinds()).items.map((item) => [item.kind, item]));

  async function series(pick) {
    const { unit, bounds } = await span();
    const { items } = await reader.stats({ group_by: unit, limit: MOST });
    return fill(begins(bounds, unit, settings.tz), items, unit).map(pick);
  }

  async function kindSeries(...names) {
    const { unit, bounds } = await span();
    const { items, next } = await reader.stats({ group_by: `kind,${unit}`, limit: MOST });
    if (next) return []; // a line that lacks some of it would be wrong
    return fill(begins(bounds, unit, settings.tz), items.filter((item) => names.includes(item.kind)), unit).map((bucket) => bucket.visits);
  }

  const sum = (map, names, pick) => names.reduce((all, name) => all + (pick(map.get(name)) ?? 0), 0);
  const count = (name, kind) => async () => {
    if (hasFilters()) {
      const map = await kinds();
      return { value: map.get(kind)?.visits ?? 0, before: compareOf(map.get(kind)?.previous?.visits ?? 0), line: await kindSeries(kind) };
    }
    const before = previousPeriod(reader.period());
    const [now, then] = await Promise.all([reader.carts(), before ? reader.carts(before) : null]);
    return { value: now.rows[0]?.[name] ?? 0, before: then && (then.rows[0]?.[name] ?? 0), line: await kindSeries(kind) };
  };
  const compareOf = (value) => (previousPeriod(reader.period()) ? value : null);

  async function conversion() {
    if (NOT_OF_PAID.some((name) => own[name])) return { value: null };
    const [all, map] = await Promise.all([totals(), kinds()]);
    const share = (some, every) => (every ? some / every : 0);
    const paid = map.get("success");
    return {
      value: share(paid?.visitors ?? 0, all?.visitors), format: percent,
      before: compareOf(share(paid?.previous?.visitors ?? 0, all?.previous?.visitors)), line: [],
    };
  }

  const tiles = [
    tile("visits", async () => ({ value: (await totals())?.visits ?? 0, before: compareOf((await totals())?.previous?.visits ?? 0), line: await series((bucket) => bucket.visits) }), signal),
    tile("visitors", async () => ({ value: (await totals())?.visitors ?? 0, before: compareOf((await totals())?.previous?.visitors ?? 0), line: await series((bucket) => bucket.visitors) }), signal),
    tile("views", async () => {
      const map = await kinds();
      return { value: sum(map, VIEWS, (item) => item?.visits), before: compareOf(sum(map, VIEWS, (item) => item?.previous?.visits)), line: await kindSeries(...VIEWS) };
    }, signal),
    tile("carts", count("carts", "cart"), signal, () => (hasFilters() ? "cart-lines" : "carts")),
    tile("paid", count("paid", "success"), signal, () => (hasFilters() ? "success-lines" : "paid")),
    tile("conversion", conversion, signal),
  ];
  return { root: element("div", { class: "tiles" }, tiles.map((each) => each.root)), refresh: () => Promise.all(tiles.map((each) => each.refresh())) };
}

// `label`: under filters, carts can only be counted by the lines of the log.
function tile(name, load, signal, label = () => name) {
  const title = element("h2", {}, translate(`total.${name}`));
  const value = element("p", { class: "total", "data-total": name }, "…");
  const change = element("p", { class: "change" });
  const line = element("div", { class: "spark" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  let shown = null;
  async function refresh() {
    try {
      const data = await load();
      trouble.textContent = "";
      const text = JSON.stringify([label(), data]);
      if (text === shown) return;
      shown = text;
      title.textContent = translate(`total.${label()}`);
      title.title = translate(`counted.total.${label()}`);
      value.textContent = data.value === null ? "—" : (data.format ?? number)(data.value);
      value.dataset.value = JSON.stringify(data.value);
      change.replaceChildren(...changeOf(data));
      line.replaceChildren(sparkLine(data.line ?? []));
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      shown = null;
      value.textContent = "—";
      change.replaceChildren();
      line.replaceChildren();
      trouble.textContent = problemText(error);
    }
  }
  return { root: element("article", { class: "card tile" }, title, value, change, trouble, line), refresh };
}

function changeOf({ value, before, format = number }) {
  if (value === null || before === null || before === undefined) return [];
  const note = element("span", { class: "dim" }, ` ${translate("before", format(before))}`);
  if (!before) return [note];
  const change = value / before - 1;
  return [element("span", { class: change < 0 ? "down" : "up" }, `${change < 0 ? "▼" : "▲"} ${signedPercent(change)}`), note];
}

// What it shows is in the chart below, and in its rows.
function sparkLine(values) {
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  if (values.length < 2) return picture;
  const most = Math.max(...values, 1);
  const points = values.map((each, index) => `${((index * WIDTH) / (values.length - 1)).toFixed(1)} ${(HEIGHT - 2 - ((HEIGHT - 4) * each) / most).toFixed(1)}`);
  picture.append(shape("path", { class: "area", d: `M0 ${HEIGHT}L${points.join("L")}V${HEIGHT}Z` }), shape("path", { class: "line", d: `M${points.join("L")}` }));
  return picture;
}
