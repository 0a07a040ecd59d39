// The numbers in the first row: visits, visitors, views, carts, paid carts and conversion.
import { element } from "../shared/elements.js";
import { percent } from "../shared/formats.js";
import { previousPeriod } from "../shared/period.js";
import { settings } from "../shared/settings.js";
import { translate } from "../shared/words.js";
import { begins, fill } from "./buckets.js";
import { filtersOf } from "./stats.js";
import { tile } from "./tile.js";

const VIEWS = ["main", "category", "product"];
// The filters that the lines of a visitor's cart and payment pass as all others of the visitor do. Carts themselves are
// counted without filters.
const OF_VISITORS = ["country", "browser", "os", "device"];

export function totalTiles({ reader, own, span, series, signal }) {
  const filters = () => Object.keys(filtersOf(own));
  const strangers = () => filters().filter((name) => !OF_VISITORS.includes(name));
  const hasBefore = () => previousPeriod(reader.period()) !== null;
  const totals = async () => (await reader.totals()).items[0];
  const kinds = async () => new Map((await reader.kinds()).items.map((item) => [item.kind, item]));

  async function kindBuckets(...names) {
    const { unit, bounds } = await span();
    const { items, next } = await reader.kindSeries(unit);
    if (next) return []; // a line that lacks some of it would be wrong
    return fill(begins(bounds, unit, settings.tz), items.filter((item) => names.includes(item.kind)), unit);
  }

  const kindLine = async (...names) => (await kindBuckets(...names)).map((bucket) => bucket.visits);

  const ofAll = (name) => async () => {
    const [all, { now }] = await Promise.all([totals(), series()]);
    return { value: all?.[name] ?? 0, before: hasBefore() ? all?.previous?.[name] ?? 0 : undefined, line: now.map((bucket) => bucket[name]) };
  };

  const ofKinds = async (...names) => {
    const [map, line] = await Promise.all([kinds(), kindLine(...names)]);
    const sum = (pick) => names.reduce((all, name) => all + (pick(map.get(name)) ?? 0), 0);
    return { value: sum((item) => item?.visits), before: hasBefore() ? sum((item) => item?.previous?.visits) : undefined, line };
  };

  // Under a filter by which no cart can be told there is no number, rather than a wrong one.
  const notBy = () => ({ value: null, note: translate("total-not-by", strangers().map((name) => translate(`filter.${name}`)).join(", ")) });

  const ofCarts = (name, kind, label) => async () => {
    if (strangers().length) return notBy();
    if (filters().length) return { ...(await ofKinds(kind)), label, note: translate("total-of-lines") };
    const [{ rows, previous }, line] = await Promise.all([reader.carts(), kindLine(kind)]);
    const note = ["all", "log"].includes(settings.source) ? "" : translate("total-all-live");
    return { value: rows[0]?.[name] ?? 0, before: previous?.[name], line, note };
  };

  async function conversion() {
    if (strangers().length) return notBy();
    const [all, map, buckets, { now }] = await Promise.all([totals(), kinds(), kindBuckets("success"), series()]);
    const share = (some, every) => (every ? some / every : null); // of nobody there is none
    const paid = map.get("success");
    return {
      value: share(paid?.visitors ?? 0, all?.visitors), format: percent,
      before: hasBefore() ? share(paid?.previous?.visitors ?? 0, all?.previous?.visitors) : undefined,
      line: buckets.map((bucket, index) => share(bucket.visitors, now[index].visitors) ?? 0),
    };
  }

  const tiles = [
    tile("visits", ofAll("visits"), signal), tile("visitors", ofAll("visitors"), signal), tile("views", () => ofKinds(...VIEWS), signal),
    tile("carts", ofCarts("carts", "cart", "cart-lines"), signal), tile("paid", ofCarts("paid", "success", "success-lines"), signal),
    tile("conversion", conversion, signal),
  ];
  return { root: element("div", { class: "tiles" }, tiles.map((each) => each.root)), refresh: () => Promise.all(tiles.map((each) => each.refresh())) };
}
