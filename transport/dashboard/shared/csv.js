// Makes CSV of rows that the page has, as the server makes it.
const FORMULA = /^[=+\-@\t\r]/;
const QUOTED = /[",\r\n]/;

// A spreadsheet would run a text that begins like a formula: it gets an apostrophe.
function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(names, rows) {
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}
