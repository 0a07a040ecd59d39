// The retention grid: a row a cohort, a column a window; the larger a share, the stronger its colour.
import { element } from "../shared/elements.js";
import { dayAndMonth, number, wholePercent } from "../shared/formats.js";
import { settings } from "../shared/settings.js";
import { scroller } from "../shared/tables.js";
import { translate } from "../shared/words.js";

export function retentionGrid(cohorts, unit) {
  if (!cohorts.some((cohort) => cohort.size)) return element("p", { class: "dim" }, translate("no-cohorts"));
  const head = element("tr", {},
    element("th", { scope: "col" }, translate("column.cohort")),
    element("th", { scope: "col", class: "numeric" }, translate("column.size")),
    cohorts.map((_, index) => later(index, cohorts.length)));
  const rows = cohorts.map((cohort) => element("tr", {},
    element("th", { scope: "row" }, dayAndMonth(cohort.cohort, settings.tz)),
    element("td", { class: "numeric" }, number(cohort.size)),
    cohort.retained.map((users) => cell(users, cohort.size))));
  const hint = element("p", { class: "dim small-print" }, translate(`later.${unit}`));
  return element("div", {}, hint, scroller(translate("retention"),
    element("table", { class: "grid" },
      element("caption", { class: "unseen" }, translate("retention")), element("thead", {}, head), element("tbody", {}, rows))));
}

// Columns are equally wide.
function later(index, count) {
  const head = element("th", { scope: "col", class: "numeric" }, number(index));
  head.style.inlineSize = `${80 / count}%`;
  return head;
}

function cell(users, size) {
  if (!size) return element("td", { class: "numeric dim" }, "—");
  const share = users / size;
  // The style sheet has a colour for each of few steps, on which text has enough contrast.
  const strength = share ? Math.min(4, 1 + Math.floor(share * 4)) : 0;
  return element("td", { class: `numeric heat heat-${strength}`, title: number(users) }, wholePercent(share));
}
