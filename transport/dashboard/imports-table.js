// Imports as a table, with how far each has come.
import { element } from "./elements.js";
import { bytes, moment, number, percent } from "./formats.js";
import { settings } from "./settings.js";
import { table } from "./tables.js";
import { say } from "./words.js";

// `actions`: record → buttons; left out where nothing can be done.
export function importsTable(imports, { actions, empty } = {}) {
  const columns = [
    { label: say("column.name"), of: (record) => element("span", {}, element("strong", {}, record.name), " ", element("span", { class: "dim" }, `№ ${record.id}`), record.dry_run ? element("span", { class: "badge" }, say("dry-run")) : null) },
    { label: say("column.status"), of: status },
    { label: say("column.lines"), numeric: true, of: (record) => number(record.lines) },
    { label: say("column.imported"), numeric: true, of: (record) => number(record.imported) },
    { label: say("column.duplicates"), numeric: true, of: (record) => number(record.duplicates) },
    { label: say("column.rejected"), numeric: true, of: (record) => number(record.rejected) },
    { label: say("column.speed"), numeric: true, of: (record) => say("lines-per-second", number(record.lines_per_second)) },
    { label: say("column.started"), of: (record) => moment(record.started_at, settings.tz) },
  ];
  if (actions) columns.push({ label: say("column.actions"), of: (record) => element("span", { class: "row" }, actions(record)) });
  return table(say("imports"), columns, imports, { empty: empty ?? say("no-imports") });
}

function status(record) {
  const badge = element("span", { class: `badge ${record.status}` }, say(`status.${record.status}`));
  if (record.status === "running" && record.bytes_total) {
    const label = say("progress-of", record.name);
    const done = Math.min(record.bytes / record.bytes_total, 1);
    return element("span", { class: "progress" }, badge, element("progress", { max: 1, value: done, "aria-label": label }), percent(done));
  }
  if (record.status === "running") return element("span", { class: "progress" }, badge, bytes(record.bytes));
  return record.error ? element("span", {}, badge, element("span", { class: "trouble" }, record.error)) : badge;
}
