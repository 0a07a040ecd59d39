// A card of the values with most visits: pages, countries and so on. A row filters the whole view by its value.
import { button, element } from "../shared/elements.js";
import { number, percent } from "../shared/formats.js";
import { attempt } from "../shared/lists.js";
import { translate } from "../shared/words.js";
import { showAllRows } from "./all-rows.js";
import { card } from "./card.js";
import { productTexts, valueText } from "./dimensions.js";
import { retryOnce, MOST } from "./stats.js";
import { worldMap } from "./world.js";

const FIRST = 8; // rows in the card
const TOLD = ["referrer", "browser", "os", "device", "status"]; // by some formats of logs, and not by others

export function topCard({ name, group, filter, query = {}, pair }, { reader, own, onFilter, signal }) {
  const get = (rows) => reader.stats({ group_by: group, ...query, limit: rows });
  // A filter of the view by kind leaves nothing of a card that has another one.
  const isEmpty = () => Object.entries(query).some(([key, value]) => own[key] && own[key] !== value);
  const textsOf = (items) => (name === "products" ? productTexts(items.map((item) => item[filter] ?? "")) : items.map((item) => valueText(filter, item[filter])));

  // Two cards share one answer, unless that has too many rows.
  async function first() {
    if (group === "kind") return reader.kinds();
    const both = pair ? await reader.stats({ group_by: pair, limit: MOST }) : null;
    return both && !both.next ? { text: both.text, items: summed(both.items, filter) } : get(FIRST);
  }

  async function load() {
    if (isEmpty()) return { text: "", items: [], total: 0 };
    const [answer, totals] = await Promise.all([first(), reader.totals()]);
    // Visits may come between the two answers: a share is at most a whole.
    const sum = answer.items.reduce((visits, item) => visits + item.visits, 0);
    return { text: `${answer.text} ${totals.text}`, items: answer.items, next: answer.next, total: Math.max(totals.items[0]?.visits ?? 0, sum) };
  }

  function draw({ items, next, total }) {
    if (!items.length) return element("p", { class: "dim" }, translate("no-data"));
    const firstItems = items.slice(0, FIRST);
    const texts = textsOf(firstItems);
    const list = element("ol", { class: "tops" }, firstItems.map((item, index) => row(item, texts[index], items[0].visits, total)));
    const hasMore = next || items.length > FIRST;
    const more = hasMore ? button(translate("more"), () => attempt(() => showAll(total)), { class: "link", "aria-haspopup": "dialog" }) : null;
    const map = group === "country" ? worldMap(items, onFilter && ((code) => onFilter(filter, code)), signal) : null;
    const isUntold = TOLD.includes(filter) && items.length === 1 && items[0][filter] === null;
    return [map, list, isUntold ? element("p", { class: "hint" }, translate("not-told")) : null, more].filter(Boolean);
  }

  async function showAll(total) {
    const { items, next } = await retryOnce(() => get(MOST), signal);
    const texts = textsOf(items);
    const rows = items.map((item, index) => ({ ...item, text: texts[index] }));
    await showAllRows({ title: translate(`card.${name}`), items: rows, filter, total, isCut: Boolean(next), onChoose: onFilter && ((value) => onFilter(filter, value)) });
  }

  function row(item, text, most, total) {
    const value = item[filter];
    const share = total ? percent(item.visits / total) : "";
    const isOn = value !== null && String(value) === own[filter];
    const bar = element("span", { class: "bar" });
    bar.style.inlineSize = `${(100 * item.visits) / most}%`;
    const parts = [
      element("span", { class: "bar-label", title: text }, name === "pages" ? addressParts(text) : text), element("span", { class: "bar-note" }, share),
      element("span", { class: "bar-value", title: item.visitors === undefined ? null : translate("visitors-of", number(item.visitors)) }, number(item.visits)),
      element("span", { class: "bar-track", "aria-hidden": "true" }, bar),
    ];
    // A value that is not known can't be filtered by.
    return element("li", {}, value === null || !onFilter ? element("div", { class: "value", "data-value": value }, parts)
      : element("button", { type: "button", class: "value", "data-value": value, "aria-pressed": String(isOn), onclick: () => onFilter(filter, isOn ? "" : String(value)) }, parts));
  }

  const rows = async () => ({ names: [filter, "visits", "visitors", "first", "last"], rows: isEmpty() ? [] : (await get(MOST)).items });
  return card(name, { load, draw, rows, definition: translate("counted.top", translate(`card.${name}`)) }, signal);
}

// Pages of a shop have one host: where there is no room for both, the path is what tells them apart.
function addressParts(text) {
  const path = text.indexOf("/");
  return path > 0 ? [element("span", { class: "host" }, text.slice(0, path)), element("span", {}, text.slice(path))] : text;
}

// Adds up the visits of rows with the same value, in the order of the API: most first, then by value, unknown last.
function summed(items, field) {
  const visits = new Map();
  for (const item of items) visits.set(item[field], (visits.get(item[field]) ?? 0) + item.visits);
  const byValue = ([one], [other]) => (one === null) - (other === null) || (one < other ? -1 : 1);
  return [...visits].sort((one, other) => other[1] - one[1] || byValue(one, other)).map(([value, count]) => ({ [field]: value, visits: count }));
}
