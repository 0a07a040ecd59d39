// Tables that become lists of cards where the window is too narrow for their columns.
import { element } from "./elements.js";

// `columns`: {label, of: row → text or element, numeric?}. `caption` is read aloud; it need not be seen.
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
