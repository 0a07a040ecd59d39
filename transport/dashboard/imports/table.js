// Shows imports as a table, with the progress of each.
import { element } from "../shared/elements.js";
import { bytes, moment, number, percent } from "../shared/formats.js";
import { faultText } from "../shared/refusals.js";
import { settings } from "../shared/settings.js";
import { table } from "../shared/tables.js";
import { translate } from "../shared/words.js";

// `actions`: a function from a record to its buttons; without it the table has no such column.
export function importsTable(imports, { actions, empty } = {}) {
  const columns = [
    { label: translate("column.name"), of: (record) => element("span", {}, element("strong", {}, record.name), " ", element("span", { class: "dim" }, `№ ${record.id}`), record.dry_run ? element("span", { class: "badge" }, translate("dry-run")) : null) },
    { label: translate("column.status"), of: status },
    { label: translate("column.lines"), numeric: true, of: (record) => number(record.lines) },
    { label: translate("column.imported"), numeric: true, of: (record) => number(record.imported) },
    { label: translate("column.duplicates"), numeric: true, of: (record) => number(record.duplicates) },
    { label: translate("column.rejected"), numeric: true, of: (record) => number(record.rejected) },
    { label: translate("column.speed"), numeric: true, of: (record) => translate("lines-per-second", number(record.lines_per_second)) },
    { label: translate("column.started"), of: (record) => moment(record.started_at, settings.tz) },
  ];
  if (actions) columns.push({ label: translate("column.actions"), of: (record) => element("span", { class: "row" }, actions(record)) });
  return table(translate("imports"), columns, imports, { empty: empty ?? translate("no-imports") });
}

// Then it is most likely another format, or another file, than the one that was meant.
const isMostlyRejected = ({ status, lines, rejected }) => ["done", "cancelled"].includes(status) && rejected > lines / 2;

function status(record) {
  const badge = element("span", { class: `badge ${record.status}` }, translate(`status.${record.status}`));
  if (record.status === "running" && record.bytes_total) {
    const label = translate("progress-of", record.name);
    const done = Math.min(record.bytes / record.bytes_total, 1);
    return element("span", { class: "progress" }, badge, element("progress", { max: 1, value: done, "aria-label": label }), percent(done));
  }
  if (record.status === "running") return element("span", { class: "progress" }, badge, bytes(record.bytes));
  const warning = (record.error && faultText(record.error)) ?? (isMostlyRejected(record) ? translate("mostly-rejected") : null);
  return warning ? element("span", {}, badge, element("span", { class: "trouble" }, warning)) : badge;
}
