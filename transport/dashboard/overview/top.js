// A card of the values with most visits: pages, countries and so on. A row filters the whole view by its value.
import { button, element } from "../shared/elements.js";
import { number, percent } from "../shared/formats.js";
import { translate } from "../shared/words.js";
import { card } from "./card.js";
import { productText, valueText } from "./dimensions.js";
import { MOST } from "./stats.js";
import { worldMap } from "./world.js";

const FIRST = 8; // rows at first
const MORE = 100;

export function topCard({ name, group, filter, query = {} }, { reader, own, onFilter, signal }) {
  let limit = FIRST;
  const get = (rows) => reader.stats({ group_by: group, ...query, limit: rows });
  // A filter of the view by kind leaves nothing of a card that has another one.
  const isEmpty = () => Object.entries(query).some(([key, value]) => own[key] && own[key] !== value);

  async function load() {
    if (isEmpty()) return { text: "", items: [], total: 0 };
    const [answer, totals] = await Promise.all([get(limit), reader.totals()]);
    return { ...answer, text: `${answer.text} ${totals.text}`, total: totals.items[0]?.visits ?? 0 };
  }

  function draw({ items, next, total }) {
    if (!items.length) return element("p", { class: "dim" }, translate("no-data"));
    const list = element("ol", { class: "tops" }, items.map((item) => row(item, items[0].visits, total)));
    const more = next && limit === FIRST ? button(translate("more"), () => { limit = MORE; frame.refresh(); }, { class: "link" }) : null;
    const map = group === "country" ? worldMap(items, (code) => onFilter(filter, code)) : null;
    return [map, list, more].filter(Boolean);
  }

  function row(item, most, total) {
    const value = item[filter];
    const text = name === "products" ? productText(value ?? "") : valueText(filter, value);
    const share = total ? percent(item.visits / total) : "";
    const isOn = value !== null && String(value) === own[filter];
    const bar = element("span", { class: "bar" });
    bar.style.inlineSize = `${(100 * item.visits) / most}%`;
    const parts = [
      element("span", { class: "bar-label", title: text }, text), element("span", { class: "bar-note" }, share),
      element("span", { class: "bar-value", title: translate("visitors-of", number(item.visitors)) }, number(item.visits)),
      element("span", { class: "bar-track", "aria-hidden": "true" }, bar),
    ];
    // A value that is not known can't be filtered by.
    return element("li", {}, value === null ? element("div", { class: "value" }, parts)
      : element("button", { type: "button", class: "value", "data-value": value, "aria-pressed": String(isOn), onclick: () => onFilter(filter, isOn ? "" : String(value)) }, parts));
  }

  const rows = async () => ({ names: [filter, "visits", "visitors", "first", "last"], rows: (await get(MOST)).items });
  const frame = card(name, { load, draw, rows, definition: translate("counted.top", translate(`card.${name}`)) }, signal);
  return frame;
}
