// A number of the first row, with its change against the equally long period before, a spark line, and in words what it
// is where that is not what its title says.
import { element, shape } from "../shared/elements.js";
import { number, signedPercent } from "../shared/formats.js";
import { problemText } from "../shared/forms.js";
import { markLate } from "../shared/late.js";
import { translate } from "../shared/words.js";

const WIDTH = 120;
const HEIGHT = 28;

// `load` resolves to {value, before?, line, format?, label?, note?}; a value of null is shown as none, now and before.
export function tile(name, load, signal) {
  const title = element("h2", {}, translate(`total.${name}`));
  const value = element("p", { class: "total", "data-total": name }, "…");
  const change = element("p", { class: "change" });
  const note = element("p", { class: "dim tile-note" });
  const line = element("div", { class: "spark" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  const root = element("article", { class: "card tile" }, title, value, change, note, trouble, line);
  let shown = null;
  let loads = 0;

  async function refresh() {
    const current = (loads += 1);
    root.setAttribute("aria-busy", "true");
    try {
      const data = await markLate(root, load());
      if (current !== loads) return; // an answer to an older question
      trouble.textContent = "";
      const text = JSON.stringify(data);
      if (text !== shown) draw(data);
      shown = text;
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted || current !== loads) return;
      shown = null;
      value.textContent = "—";
      delete value.dataset.value;
      note.textContent = "";
      for (const part of [change, line]) part.replaceChildren();
      trouble.textContent = problemText(error);
    } finally {
      if (current === loads) root.removeAttribute("aria-busy");
    }
  }

  function draw(data) {
    const label = data.label ?? name;
    title.textContent = translate(`total.${label}`);
    title.title = translate(`counted.total.${label}`);
    value.textContent = textOf(data.value, data.format);
    value.dataset.value = JSON.stringify(data.value);
    change.replaceChildren(...changeOf(data));
    note.textContent = data.note ?? "";
    line.replaceChildren(sparkLine(data.line ?? []));
  }
  return { root, refresh };
}

const textOf = (value, format = number) => (value === null ? "—" : format(value));

function changeOf({ value, before, format }) {
  if (before === undefined) return [];
  const note = element("span", { class: "dim" }, translate("before", textOf(before, format)));
  if (value === null || !before) return [note];
  const change = value / before - 1;
  if (!change) return [element("span", {}, "="), note];
  return [element("span", { class: change < 0 ? "down" : "up" }, `${change < 0 ? "▼" : "▲"} ${signedPercent(change)}`), note];
}

// What it shows is in the chart below, and in its rows.
function sparkLine(values) {
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  if (values.length < 2) return picture;
  const most = Math.max(...values) || 1;
  const points = values.map((each, index) => `${((index * WIDTH) / (values.length - 1)).toFixed(1)} ${(HEIGHT - 2 - ((HEIGHT - 4) * each) / most).toFixed(1)}`);
  picture.append(shape("path", { class: "area", d: `M0 ${HEIGHT}L${points.join("L")}V${HEIGHT}Z` }), shape("path", { class: "line", d: `M${points.join("L")}` }));
  return picture;
}
