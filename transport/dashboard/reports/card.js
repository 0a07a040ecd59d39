// A report: a tile with its question and answer, and a card with chart, own parameters, definition, rows and downloads.
import { request, download } from "../shared/api.js";
import { button, element, field, newId, select } from "../shared/elements.js";
import { moment } from "../shared/formats.js";
import { problemText } from "../shared/forms.js";
import { markLate } from "../shared/late.js";
import { attempt } from "../shared/lists.js";
import { currentPeriod, settings } from "../shared/settings.js";
import { scroller } from "../shared/tables.js";
import { translate } from "../shared/words.js";
import { answerText, noteText, questionText, definitionText } from "./answer.js";
import { readChart } from "./charts.js";
import { rowsTable } from "./rows.js";

const NOT_CHOSEN = new Set(["from", "to", "tz", "source", "traffic", "limit", "format", "raw", "compare"]); // in a card
const FORMATS = ["json", "csv", "svg"];
const REFUSED = 422;

export function reportCard(report, { signal, own, setOwn, withTraffic }) {
  const parameters = report.parameters.filter((parameter) => !NOT_CHOSEN.has(parameter.name));
  const keyOf = (name) => `r${report.report}.${name}`; // in the address
  const values = () => Object.fromEntries(parameters.map(({ name, default: value }) => [name, own[keyOf(name)] || own[name] || value]));
  const query = () => ({ ...sharedQuery(withTraffic), ...values() });
  const id = newId();
  const question = element("h2", { id });
  const heading = element("h2", {});
  const answer = element("p", { class: "answer" }, "…");
  const note = element("p", { class: "dim note" });
  const plot = element("figure", { class: "plot" });
  const rows = scroller(translate("rows"));
  const trouble = element("p", { class: "trouble", role: "alert" });
  const files = element("div", { class: "row files" });
  const tile = element("article", { class: "card tile", "aria-labelledby": id, "data-report": report.report }, question, answer, note, trouble);
  const root = element("section", { class: "card report", "data-chart": report.report },
    heading, plot,
    parameters.length ? element("form", { class: "row own", onsubmit: (event) => event.preventDefault() }, parameters.map((each) => control(each, values()[each.name], change))) : null,
    element("details", {}, element("summary", {}, translate("definition")), element("p", {}, definitionText(report))),
    element("details", {}, element("summary", {}, translate("rows")), rows),
    files);
  let requests = 0;
  let shown = null; // the text of what is shown
  let refused = ""; // the question that the server did not understand: new data change nothing in that

  function change(name, value) {
    const isDefault = String(value) === String(parameters.find((each) => each.name === name).default);
    setOwn({ [keyOf(name)]: isDefault ? "" : value });
    return load();
  }

  const save = (format) => attempt(() => download(`/report/${report.report}`, { ...query(), format }, `report-${report.report}.${format}`));

  async function load() {
    const asked = { ...query(), format: "svg" };
    const current = (requests += 1);
    drawTitles();
    if (JSON.stringify(asked) === refused) return;
    try {
      const reading = request(`/report/${report.report}`, { query: asked, signal }).then((response) => response.text());
      const text = await markLate(root, markLate(tile, reading));
      if (current !== requests || text === shown) return; // a newer request is under way, or nothing has changed
      const { report: result, picture } = readChart(text);
      shown = text;
      refused = "";
      draw(result, picture);
    } catch (error) {
      if (signal.aborted || current !== requests) return;
      shown = null;
      refused = error.status === REFUSED ? JSON.stringify(asked) : "";
      for (const part of [answer, note, plot, rows]) part.replaceChildren(); // no stale answer
      delete answer.dataset.answer;
      trouble.textContent = problemText(error);
    }
  }

  function drawTitles() {
    const title = questionText(report, values().category);
    if (title === question.textContent) return;
    question.textContent = title;
    heading.textContent = title;
    files.replaceChildren(...FORMATS.map((format) => button(format.toUpperCase(), () => save(format), { class: "link", "aria-label": translate("download-as", format.toUpperCase(), title) })));
  }

  function draw(result, picture) {
    trouble.textContent = "";
    answer.textContent = answerText(result);
    answer.dataset.answer = JSON.stringify(result.answer);
    note.textContent = noteText(result);
    plot.replaceChildren(result.rows.length ? picture : element("p", { class: "dim" }, translate("no-data")), captionOf(result) ?? "");
    picture.setAttribute("aria-label", `${question.textContent} ${answerText(result)}`);
    rows.replaceChildren(rowsTable(result));
  }
  // The list may be under a reader's hand: it is filled anew only where it differs.
  function showCategories(categories) {
    const parameter = parameters.find((each) => each.name === "category");
    if (!parameter) return;
    const control = root.querySelector("select[name=category]");
    const { value } = control;
    const options = categoryOptions([...categories, value, parameter.default]);
    if (String(options) === String([...control.options].map((option) => [option.value, option.text]))) return;
    control.replaceChildren(...select(options, value).children);
    control.value = value;
  }
  drawTitles();
  return { tile, root, load, showCategories };
}

// The hours of a chart have day and month below them; here is their year.
function captionOf({ report, rows }) {
  if (report !== 4 || !rows.length) return null;
  const hours = rows.map((row) => row.hour).sort();
  return element("figcaption", { class: "dim caption" }, `${moment(hours[0], settings.tz)} – ${moment(hours.at(-1), settings.tz)}`);
}

function sharedQuery(withTraffic) {
  const source = ["all", "log"].includes(settings.source) ? settings.source : "api"; // pages and sites are live visits
  return { ...currentPeriod("all"), tz: settings.tz, source, ...(withTraffic ? { traffic: settings.traffic } : {}) };
}

const categoryOptions = (names) => [...new Set(names)].sort().map((name) => [name, name.replaceAll("_", " ")]);

function control(parameter, value, change) {
  const label = translate(`parameter.${parameter.name}`);
  const onchange = (event) => change(parameter.name, event.target.value || parameter.default);
  if (parameter.name === "category") {
    return field(label, select(categoryOptions([value, parameter.default]), value, { name: "category", onchange }));
  }
  if (parameter.choices) return field(label, select(parameter.choices.map((choice) => [choice, translate(`choice.${choice}`)]), value, { onchange }));
  const isNumber = typeof parameter.default === "number";
  return field(label, element("input", { type: isNumber ? "number" : "text", min: isNumber ? 0 : null, value, onchange }));
}
