// The dialog with all rows of a card: searched, sorted, and each of them a filter.
import { button, element, field, select } from "../shared/elements.js";
import { number, percent } from "../shared/formats.js";
import { showDialog } from "../shared/messages.js";
import { table } from "../shared/tables.js";
import { translate } from "../shared/words.js";

const ORDERS = {
  visits: (one, other) => other.visits - one.visits,
  visitors: (one, other) => other.visitors - one.visitors,
  name: (one, other) => one.text.localeCompare(other.text),
};

// `items`: rows of the API with their `text`. `isCut`: there are more than these. `onChoose`: null where rows are not filters.
export function showAllRows({ title, items, filter, total, isCut, onChoose }) {
  const search = element("input", { type: "search", oninput: draw, autocomplete: "off", spellcheck: "false" });
  const order = select(Object.keys(ORDERS).map((name) => [name, translate(`order.${name}`)]), "visits", { onchange: draw });
  const count = element("p", { class: "dim", role: "status" });
  const content = element("div", { class: "scroll all-rows", tabindex: 0, role: "region", "aria-label": title });
  const columns = [
    { label: title, of: name },
    { label: translate("total.visits"), numeric: true, of: (item) => number(item.visits) },
    { label: translate("total.visitors"), numeric: true, of: (item) => number(item.visitors) },
    { label: translate("column.share"), numeric: true, of: (item) => (total ? percent(item.visits / total) : "—") },
  ];

  function name(item) {
    const value = item[filter];
    if (value === null || !onChoose) return item.text;
    return button(item.text, (event) => {
      event.target.closest("dialog").close();
      onChoose(String(value));
    }, { class: "link", "data-choice": value });
  }

  function draw() {
    const words = search.value.trim().toLowerCase();
    const matches = items.filter((item) => `${item.text} ${item[filter] ?? ""}`.toLowerCase().includes(words)).sort(ORDERS[order.value]);
    count.textContent = [translate("rows-of", number(matches.length), number(items.length)), isCut ? translate("rows-cut") : ""].filter(Boolean).join(" ");
    content.replaceChildren(table(title, columns, matches, { empty: translate("nothing-found") }));
  }
  draw();
  return showDialog(title, element("h2", {}, title), element("div", { class: "row own" }, field(translate("search"), search), field(translate("sort"), order)), count, content);
}
