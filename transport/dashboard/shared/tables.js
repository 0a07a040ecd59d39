// Makes tables. In a window too narrow for their columns, the style sheet shows each row as a card.
import { element } from "./elements.js";

// Makes the element around a table that may be wider than its card. The keyboard can scroll it, and stops there only then.
export function scroller(label, ...children) {
  const root = element("div", { class: "scroll", role: "region", "aria-label": label }, children);
  new ResizeObserver(() => {
    if (root.scrollWidth > root.clientWidth) root.tabIndex = 0;
    else root.removeAttribute("tabindex");
  }).observe(root);
  return root;
}

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
