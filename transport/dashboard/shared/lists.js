// Lists of the API: filters that stand in the address, rows as a table, and a button that loads more of them.
import { download, requestJson } from "./api.js";
import { onBack } from "./connection.js";
import { button, element } from "./elements.js";
import { problemText } from "./forms.js";
import { showMessage } from "./messages.js";
import { redraw } from "./redraw.js";
import { scroller, table } from "./tables.js";
import { translate } from "./words.js";

const PAGE = 50;

// `filters`: fields whose controls are named as the API's parameters. `columnsOf`: a function from what reloads the list
// to its columns. `csv`: the name of a file, if the list can be saved. `empty`: what stands where there is no row.
// `footer`: an element that stands below the rows, if there are any.
export function list({ name, path, filters = [], columnsOf, query = {}, csv, empty, footer, heading = true }, { signal, own, setOwn }) {
  const content = scroller(translate(name));
  const trouble = element("p", { class: "trouble", role: "alert" });
  const more = button(translate("more"), () => load(true), { hidden: true });
  const save = csv ? button("CSV", () => download(path, { ...query, ...values(), format: "csv" }, csv).catch((error) => showMessage(problemText(error), "bad"))) : null;
  const form = element("form", { class: "row own", onsubmit: (event) => {
    event.preventDefault();
    setOwn?.(values());
    load();
  } }, filters, filters.length ? button(translate("show"), null, { type: "submit" }) : null, save);
  for (const control of form.elements) if (control.name && own?.[control.name]) control.value = own[control.name];
  let rows = [];
  let cursor = null;
  let loads = 0;
  const values = () => Object.fromEntries(new FormData(form));

  async function load(append = false) {
    const current = (loads += 1);
    try {
      const page = await requestJson(path, { query: { ...query, ...values(), limit: PAGE, cursor: append ? cursor : null }, signal });
      if (current !== loads) return; // an answer to an older question
      rows = append ? [...rows, ...page.items] : page.items;
      cursor = page.next;
      more.hidden = !cursor;
      if (footer) footer.hidden = !rows.length;
      trouble.textContent = "";
      redraw(content, rows.length || !empty ? table(translate(name), columnsOf(load, rows), rows, { empty: translate("nothing-found") }) : empty());
    } catch (error) {
      if (error.name === "AbortError" || current !== loads) return;
      content.replaceChildren(); // no stale rows under other filters
      more.hidden = true;
      trouble.textContent = problemText(error);
    }
  }
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
