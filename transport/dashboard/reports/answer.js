// What a report asks and answers, in words, with the exact number beside them.
import { country, moment, number, percent } from "../shared/formats.js";
import { settings } from "../shared/settings.js";
import { hasTranslation, translate } from "../shared/words.js";

const words = (category) => category.replaceAll("_", " ");

// The server has questions and definitions in English.
export function questionText({ report, title }, category) {
  if (hasTranslation(`title.${report}`)) return translate(`title.${report}`, category && words(category));
  return category ? title.replace("a category", words(category)) : title;
}

export const definitionText = ({ report, definition }) => (hasTranslation(`definition.${report}`) ? translate(`definition.${report}`) : definition);

export function answerText({ report, answer, rows }) {
  if (answer === null) return translate("no-data");
  if (typeof answer === "number") return number(answer);
  if (report <= 2) return country(rows[0].country, answer);
  return report === 3 ? translate(`chart.${answer}`) : words(answer);
}

const NOTES = {
  1: ([row]) => translate("note.requests", number(row.requests ?? row.visitors), percent(row.share), row.visitors === undefined ? "requests" : "visitors"),
  2: ([row]) => translate("note.requests", number(row.requests ?? row.visitors), percent(row.share), row.visitors === undefined ? "requests" : "visitors"),
  3: ([row]) => translate("note.views", number(row.views), `${row.from_hour}–${row.to_hour}`),
  4: ([row]) => moment(row.hour, settings.tz),
  5: ([row]) => translate("note.carts", number(row.carts), percent(row.confidence)),
  6: ([row]) => translate("note.of-carts", number(row.carts), percent(row.unpaid_share)),
  7: (rows) => translate("note.of-buyers", number(rows.reduce((all, row) => all + row.users, 0))),
};

export const noteText = ({ report, rows }) => (rows.length && NOTES[report] ? NOTES[report](rows) : "");
