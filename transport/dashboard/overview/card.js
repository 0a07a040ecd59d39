// The frame of a card: its title, what it shows, how that is counted, and its rows as CSV. A card below the window loads
// when it is scrolled to, so that a click on a filter asks no more than is seen.
import { save } from "../shared/api.js";
import { csvOf } from "../shared/csv.js";
import { button, element, newId } from "../shared/elements.js";
import { problemText } from "../shared/forms.js";
import { markLate } from "../shared/late.js";
import { attempt } from "../shared/lists.js";
import { redraw } from "../shared/redraw.js";
import { translate } from "../shared/words.js";
import { retryOnce } from "./stats.js";

const AHEAD = "200px";

// `load` resolves to a text that tells whether the data changed; `draw` shows it and returns elements. `rows` resolves to
// {names, rows} for CSV.
export function card(name, { load, draw, rows, definition, wide = false }, signal) {
  const id = newId();
  const content = element("div", { class: "content" }, element("p", { class: "dim" }, "…"));
  const trouble = element("p", { class: "trouble", role: "alert" });
  const root = element("section", { class: `card${wide ? " wide" : ""}`, "data-card": name, "aria-labelledby": id },
    element("h2", { id }, translate(`card.${name}`)), trouble, content,
    element("div", { class: "row foot" },
      element("details", {}, element("summary", {}, translate("how-counted")), element("p", {}, definition ?? translate(`counted.${name}`))),
      rows ? button("CSV", () => attempt(saveRows), { class: "link", "aria-label": translate("download-as", "CSV", translate(`card.${name}`)) }) : null));
  let isVisible = false;
  let isStale = false; // until the view first asks for its data
  let shown = null; // the text of what is shown
  let loads = 0;

  async function saveRows() {
    const table = await retryOnce(rows, signal);
    save(new Blob([csvOf(table.names, table.rows)], { type: "text/csv" }), `${name}.csv`);
  }

  async function update() {
    if (!isVisible || !isStale) return;
    isStale = false;
    const current = (loads += 1);
    root.setAttribute("aria-busy", "true");
    try {
      const data = await markLate(root, load());
      if (current !== loads) return; // an answer to an older question
      trouble.textContent = "";
      if (data.text === shown) return; // nothing flickers
      shown = data.text;
      redraw(content, ...[draw(data)].flat());
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted || current !== loads) return;
      shown = null;
      content.replaceChildren(); // no stale answer
      trouble.textContent = problemText(error);
    } finally {
      if (current === loads && !isStale) root.removeAttribute("aria-busy");
    }
  }

  const observer = new IntersectionObserver((entries) => {
    isVisible = entries.at(-1).isIntersecting;
    update();
  }, { rootMargin: AHEAD });
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());

  // Loads the card anew, now or when it is scrolled to. A card in the window resolves when it shows the new data.
  function refresh() {
    isStale = true;
    const { top, bottom } = root.getBoundingClientRect();
    isVisible ||= root.isConnected && bottom > 0 && top < innerHeight;
    root.setAttribute("aria-busy", "true"); // also while it waits to be scrolled to
    return update();
  }

  // Loads the card wherever it is. What it shows already stays.
  function loadUnseen() {
    isVisible = true;
    return update();
  }
  return { root, refresh, loadUnseen };
}
