// Makes tables. In a window too narrow for their columns, the style sheet shows each row as a card.
import { element } from "./elements.js";

// `columns`: {label, of: row → text or element, numeric?}. `caption` is for screen readers alone.
export function table(caption, columns, rows, { empty } = {}) {
  if (!rows.length) return element("p", { class: "dim" }, empty ?? "—");
  return element(
    "table", { class: "table" },
    element("caption", { class: "unseen" }, caption),
    element("thead", {}, element("tr", {}, columns.map((column) =>
      element("th", { scope: "col", class: column.numeric && "numeric" }, column.label)))),
    element("tbody", {}, rows.map((row) => element("tr", {}, columns.map((column) =>
      element("td", { "data-label": column.label, class: column.numeric && "numeric" }, column.of(row) ?? "—"))))),
  );
}
