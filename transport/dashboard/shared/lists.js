// Lists of the API: read by pages; with filters that stand in the address, and rows as a table.
import { download, requestJson } from "./api.js";
import { onBack } from "./connection.js";
import { button, element, isBusy, setBusy, setValues } from "./elements.js";
import { problemText } from "./forms.js";
import { markLate } from "./late.js";
import { showMessage } from "./messages.js";
import { redraw } from "./redraw.js";
import { scroller, table } from "./tables.js";
import { translate } from "./words.js";

const PAGE = 50;

// Reads a list by pages, with a button that reads the next one. `query`: a function to the parameters of the question; more
// of its answer is asked by the same ones, whatever a form says by then. `position`: the parameter that takes a page's
// `next`. `show` gets the items of a page, and whether they follow those shown; `fail` gets what went wrong. An answer to an
// older question is shown by none.
export function pages(path, { query, position = "cursor", show, fail, signal }) {
  const more = button(translate("more"), () => (isBusy(more) ? null : load(true)), { class: "more", hidden: true });
  let question = {};
  let next = null;
  let loads = 0;

  async function load(isMore = false) {
    const current = (loads += 1);
    if (!isMore) question = query();
    setBusy(more, true);
    try {
      const page = await requestJson(path, { query: { ...question, [position]: isMore ? next : null }, signal });
      if (current !== loads) return;
      next = page.next;
      more.hidden = !next;
      show(page.items, isMore);
    } catch (error) {
      if (error.name === "AbortError" || current !== loads) return;
      more.hidden = true;
      fail(error);
    } finally {
      if (current === loads) setBusy(more, false);
    }
  }
  return { more, load: () => load() };
}

// `filters`: fields whose controls are named as the API's parameters. `columnsOf`: a function from what reloads the list
// to its columns. `csv`: the name of a file, if the list can be saved. `empty`: what stands where there is no row.
// `footer`: an element that stands below the rows, if there are any.
export function list({ name, path, filters = [], columnsOf, query = {}, csv, empty, footer, heading = true }, { signal, own, setOwn }) {
  const content = scroller(translate(name));
  const trouble = element("p", { class: "trouble", role: "alert" });
  const save = csv ? button("CSV", () => download(path, { ...query, ...values(), format: "csv" }, csv).catch((error) => showMessage(problemText(error), "bad"))) : null;
  const form = element("form", { class: "row own", onsubmit: (event) => {
    event.preventDefault();
    setOwn?.(values());
    load();
  } }, filters, filters.length ? button(translate("show"), null, { type: "submit" }) : null, save);
  setValues(form.elements, own);
  let rows = [];
  const values = () => Object.fromEntries(new FormData(form));

  function show(items, isMore) {
    rows = isMore ? [...rows, ...items] : items;
    if (footer) footer.hidden = !rows.length;
    trouble.textContent = "";
    redraw(content, rows.length || !empty ? table(translate(name), columnsOf(load, rows), rows, { empty: translate("nothing-found") }) : empty());
  }

  function fail(error) {
    content.replaceChildren(); // no stale rows under other filters
    trouble.textContent = problemText(error);
  }
  const load = () => markLate(root, read());
  const { more, load: read } = pages(path, { query: () => ({ ...query, ...values(), limit: PAGE }), show, fail, signal });
  onBack(() => (trouble.textContent ? load() : null), signal);
  const root = element("section", { class: "card", "data-list": name },
    heading ? element("h2", {}, translate(name)) : null, filters.length || csv ? form : null, trouble, content, more, footer);
  return { root, load };
}

// Runs a request of a button; its failure is a message.
export async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (error.name !== "AbortError") showMessage(problemText(error), "bad");
  }
}
