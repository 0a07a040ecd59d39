// The retention grid: a row a cohort, a column a window, the fuller the stronger.
import { element } from "./elements.js";
import { dayAndMonth, number, wholePercent } from "./formats.js";
import { settings } from "./settings.js";
import { say } from "./words.js";

export function retentionGrid(cohorts, unit) {
  if (!cohorts.some((cohort) => cohort.size)) return element("p", { class: "dim" }, say("no-cohorts"));
  const head = element("tr", {},
    element("th", { scope: "col" }, say("column.cohort")),
    element("th", { scope: "col", class: "numeric" }, say("column.size")),
    cohorts.map((_, index) => element("th", { scope: "col", class: "numeric" }, number(index))));
  const rows = cohorts.map((cohort) => element("tr", {},
    element("th", { scope: "row" }, dayAndMonth(cohort.cohort, settings.tz)),
    element("td", { class: "numeric" }, number(cohort.size)),
    cohort.retained.map((users) => cell(users, cohort.size))));
  const later = element("p", { class: "dim small-print" }, say(`later.${unit}`));
  return element("div", {}, later, element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": say("retention") },
    element("table", { class: "grid" },
      element("caption", { class: "unseen" }, say("retention")), element("thead", {}, head), element("tbody", {}, rows))));
}

function cell(users, size) {
  if (!size) return element("td", { class: "numeric dim" }, "—");
  const share = users / size;
  // Steps, so that text keeps its contrast on each: the style sheet knows them.
  const strength = share ? Math.min(4, 1 + Math.floor(share * 4)) : 0;
  return element("td", { class: `numeric heat heat-${strength}`, title: number(users) }, wholePercent(share));
}
