// The card of a report: question, answer in large, chart, own parameters, definition, rows, and downloads.
import { request, download, Problem } from "../shared/api.js";
import { readChart } from "./charts.js";
import { button, element, field, newId, select } from "../shared/elements.js";
import { country, moment, number, percent } from "../shared/formats.js";
import { currentPeriod, settings } from "../shared/settings.js";
import { table } from "../shared/tables.js";
import { hasTranslation, translate } from "../shared/words.js";

const COMMON = new Set(["from", "to", "tz", "source", "traffic", "limit", "format", "raw"]);
const FORMATS = ["json", "csv", "svg"];
// The values of each report's own parameters; they outlive the view.
const inputs = new Map();

export function reportCard(report, signal) {
  const own = report.parameters.filter((parameter) => !COMMON.has(parameter.name));
  if (!inputs.has(report.report)) inputs.set(report.report, Object.fromEntries(own.map((each) => [each.name, each.default])));
  const values = inputs.get(report.report);
  const id = newId();
  const answer = element("p", { class: "answer" }, "…");
  const plot = element("figure", { class: "plot" });
  const rows = element("div", { class: "scroll" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  const query = () => ({ ...sharedQuery(), ...values });
  const files = element("div", { class: "row files" }, FORMATS.map((format) =>
    button(format.toUpperCase(), () => save(format), { class: "link", "aria-label": translate("download-as", format.toUpperCase(), title(report)) })));
  const root = element("article", { class: "card report", "aria-labelledby": id, "data-report": report.report },
    element("h2", { id }, title(report)), answer, plot, trouble,
    own.length ? element("form", { class: "row own", onsubmit: (event) => event.preventDefault() }, own.map((each) => control(each, values, load))) : null,
    element("details", {}, element("summary", {}, translate("definition")), element("p", {}, definition(report))),
    element("details", {}, element("summary", {}, translate("rows")), rows),
    files);

  let requests = 0;

  async function save(format) {
    try {
      await download(`/report/${report.report}`, { ...query(), format }, `report-${report.report}.${format}`);
    } catch (error) {
      fail(error);
    }
  }

  function fail(error) {
    if (signal.aborted) return null;
    trouble.textContent = error instanceof Problem ? error.message : translate("unreachable");
    return null;
  }

  // The old answer stays until the new one is here, so that nothing flickers.
  async function load() {
    root.setAttribute("aria-busy", "true");
    const current = (requests += 1);
    try {
      const response = await request(`/report/${report.report}`, { query: { ...query(), format: "svg" }, signal });
      const { report: result, picture } = readChart(await response.text());
      if (current === requests) show(result, picture); // else a newer request is under way
      return result;
    } catch (error) {
      return fail(error);
    } finally {
      root.removeAttribute("aria-busy");
    }
  }

  function show(result, picture) {
    trouble.textContent = "";
    answer.textContent = answerText(result);
    answer.dataset.answer = JSON.stringify(result.answer);
    plot.replaceChildren(result.rows.length ? picture : element("p", { class: "dim" }, translate("no-data")));
    picture.setAttribute("aria-label", `${title(report)} ${answerText(result)}`);
    rows.replaceChildren(rowsTable(result));
  }
  return { root, load };
}

function sharedQuery() {
  return { ...currentPeriod("all"), tz: settings.tz, source: settings.source };
}

// The server has these in English.
const title = (report) => (hasTranslation(`title.${report.report}`) ? translate(`title.${report.report}`) : report.title);
const definition = (report) => (hasTranslation(`definition.${report.report}`) ? translate(`definition.${report.report}`) : report.definition);

function control(parameter, values, load) {
  const label = translate(`parameter.${parameter.name}`);
  const set = (event) => {
    values[parameter.name] = event.target.value || parameter.default;
    load();
  };
  if (parameter.choices) {
    const options = parameter.choices.map((choice) => [choice, translate(`choice.${choice}`)]);
    return field(label, select(options, values[parameter.name], { onchange: set }));
  }
  const isNumber = typeof parameter.default === "number";
  return field(label, element("input", {
    type: isNumber ? "number" : "text", min: isNumber ? 0 : null, list: parameter.name === "category" ? "categories" : null,
    value: values[parameter.name], onchange: set,
  }));
}

function answerText({ report, answer, rows }) {
  if (answer === null) return translate("no-data");
  if (typeof answer === "number") return number(answer);
  if (report <= 2) return country(rows[0].country, answer);
  return report === 3 ? translate(`chart.${answer}`) : answer.replaceAll("_", " ");
}

const CELL_FORMATS = {
  country: (value) => value,
  name: (value, row) => country(row.country, value),
  share: percent, unpaid_share: percent, support: percent, confidence: percent,
  lift: (value) => number(value),
  hour: (value, _row, zone) => moment(value, zone),
  part_of_day: (value) => translate(`chart.${value}`),
  from_hour: (value) => `${value}:00`, to_hour: (value) => `${value}:00`,
  hours: (value) => value.map((each) => number(each)).join(" "),
};

function rowsTable({ rows, parameters }) {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => ({
    label: translate(`column.${name}`),
    numeric: typeof rows[0][name] === "number",
    of: (row) => (CELL_FORMATS[name] ?? ((value) => (typeof value === "number" ? number(value) : value)))(row[name], row, parameters.tz),
  }));
  return table(translate("rows"), columns, rows, { empty: translate("no-data") });
}
