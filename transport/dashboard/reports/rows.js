// The rows of a report as a table.
import { country, moment, number, percent } from "../shared/formats.js";
import { table } from "../shared/tables.js";
import { translate } from "../shared/words.js";

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

export function rowsTable({ rows, parameters }) {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => ({
    label: translate(`column.${name}`),
    numeric: typeof rows[0][name] === "number",
    of: (row) => (CELL_FORMATS[name] ?? ((value) => (typeof value === "number" ? number(value) : value)))(row[name], row, parameters.tz),
  }));
  return table(translate("rows"), columns, rows, { empty: translate("no-data") });
}
