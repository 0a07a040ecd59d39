// The view of event statistics: active users, top events, retention and a funnel.
import { requestJson } from "../shared/api.js";
import { layOutInColumns } from "../shared/columns.js";
import { button, element, field, select } from "../shared/elements.js";
import { day, localOf, number, percent } from "../shared/formats.js";
import { firstEvent } from "../shared/first-run.js";
import { problemText } from "../shared/forms.js";
import { markLate } from "../shared/late.js";
import { onChange } from "../shared/live.js";
import { columns, rankedBars } from "../shared/plots.js";
import { retentionGrid } from "./retention.js";
import { currentPeriod, loadNewest, settings, settingsProblem } from "../shared/settings.js";
import { settingsForm } from "../shared/settings-form.js";
import { shownText } from "../shared/shown.js";
import { scroller, table } from "../shared/tables.js";
import { translate } from "../shared/words.js";

const COLUMN = 34; // rem
const TOP = 10;
const STEPS = 3; // of the funnel at first
// What the forms hold, unless the address says otherwise.
const DEFAULTS = { segment: "", start: "", unit: "day", windows: "7", steps: "", within: "86400" };

const period = () => ({ ...currentPeriod("all"), tz: settings.tz });

export async function show(view, { signal, own, setOwn, onSettings, redraw }) {
  onChange(() => (view.querySelector("[data-step]") ? redraw() : null), signal);
  const getJson = (path, query) => requestJson(path, { query, signal });
  if ((await loadNewest(signal, "/events")) === null) return void view.replaceChildren(element("h1", {}, translate("events")), firstEvent());
  const top = settingsProblem() ? [] : await topEvents(getJson);
  const usual = { ...DEFAULTS, steps: top.slice(0, STEPS).map((event) => event.event_type).join(",") };
  const inputs = { ...usual, ...Object.fromEntries(Object.entries(own).filter(([name]) => Object.hasOwn(usual, name))) };
  const keep = () => setOwn(Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value === usual[name] ? "" : value])));
  const cards = [activeUsers, topCard, retention, funnel].map((make) => make(getJson, inputs, keep));
  const columnsRoot = element("div", { class: "cards" });
  const shown = element("p", { class: "shown" });
  view.replaceChildren(
    element("h1", {}, translate("events")),
    settingsForm(onSettings),
    shown,
    columnsRoot,
  );
  layOutInColumns(columnsRoot, cards.map((card) => [card.root, 1]), COLUMN);
  async function refresh() {
    columnsRoot.hidden = settingsProblem() !== null;
    shown.textContent = columnsRoot.hidden ? "" : shownText("all", []);
    if (!columnsRoot.hidden) await Promise.all(cards.map((card) => card.load()));
  }
  await refresh();
  return refresh;
}

// Makes a card with a form, whose submission writes the address and draws the card's content again.
function card(name, controls, keep, draw) {
  const content = element("div", { class: "content" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  let loads = 0;
  async function load() {
    const current = (loads += 1);
    try {
      const parts = [await markLate(root, draw())].flat();
      if (current !== loads) return; // an answer to an older question
      content.replaceChildren(...parts);
      trouble.textContent = "";
    } catch (error) {
      if (error.name === "AbortError" || current !== loads) return;
      content.replaceChildren(); // no stale answer
      trouble.textContent = problemText(error);
    }
  }
  const form = controls.length
    ? element("form", { class: "row own", onsubmit: (event) => { event.preventDefault(); keep(); load(); } },
        controls, button(translate("show"), null, { type: "submit" }))
    : null;
  const root = element("section", { class: "card", "data-stat": name },
    element("h2", {}, translate(name)), element("p", { class: "dim" }, translate(`${name}-hint`)), form, trouble, content);
  return { root, load };
}

function input(inputs, name, attributes = {}) {
  return element("input", { value: inputs[name], oninput: (event) => { inputs[name] = event.target.value; }, ...attributes });
}

function activeUsers(getJson, inputs, keep) {
  return card("dau", [field(translate("segment"), input(inputs, "segment", { placeholder: "event_type:purchase" }))], keep, async () => {
    const { items } = await getJson("/stats/dau", { ...period(), segment: inputs.segment });
    if (!items.length) return element("p", { class: "dim" }, translate("no-events"));
    const days = items.map((item) => ({ value: item.users, label: day(item.day, settings.tz) }));
    const tableColumns = [{ label: translate("column.day"), of: (item) => item.label }, { label: translate("column.users"), numeric: true, of: (item) => number(item.value) }];
    return [
      element("p", { class: "answer" }, number(days.at(-1).value), element("small", {}, ` ${days.at(-1).label}`)),
      columns(days, translate("dau")),
      element("details", {}, element("summary", {}, translate("rows")), scroller(translate("dau"), table(translate("dau"), tableColumns, days))),
    ];
  });
}

async function topEvents(getJson) {
  return (await getJson("/stats/top-events", { ...period(), limit: TOP })).items;
}

function topCard(getJson, _inputs, keep) {
  return card("top-events", [], keep, async () => {
    const top = await topEvents(getJson);
    return top.length
      ? rankedBars(top.map((event) => ({ label: event.event_type, value: event.events, note: translate("by-users", number(event.users)) })))
      : element("p", { class: "dim" }, translate("no-events"));
  });
}

function retention(getJson, inputs, keep) {
  const unit = select(["day", "week"].map((name) => [name, translate(`unit.${name}`)]), inputs.unit, {
    onchange: (event) => { inputs.unit = event.target.value; },
  });
  const controls = [
    field(translate("start"), input(inputs, "start", { type: "date" })),
    field(translate("unit"), unit),
    field(translate("windows"), input(inputs, "windows", { type: "number", min: 1, max: 90 })),
  ];
  return card("retention", controls, keep, async () => {
    const start = inputs.start || (await firstDay(getJson));
    if (!start) return element("p", { class: "dim" }, translate("no-events"));
    controls[0].querySelector("input").value = start;
    const { unit: windowUnit, windows } = inputs;
    const { items } = await getJson("/stats/retention", { start, unit: windowUnit, windows, tz: settings.tz });
    return retentionGrid(items, windowUnit);
  });
}

// Finds the first of the last seven days that have events.
async function firstDay(getJson) {
  const { items } = await getJson("/stats/dau", period());
  const first = items.at(-7) ?? items[0];
  return first ? localOf(first.day, settings.tz).slice(0, 10) : "";
}

function funnel(getJson, inputs, keep) {
  const controls = [
    field(translate("steps"), input(inputs, "steps", { placeholder: "view,cart,purchase" }), translate("steps-hint")),
    field(translate("within"), input(inputs, "within", { type: "number", min: 1 })),
  ];
  return card("funnel", controls, keep, async () => {
    if (inputs.steps.split(",").length < 2) return element("p", { class: "dim" }, translate("two-steps"));
    const { items } = await getJson("/stats/funnel", { ...period(), steps: inputs.steps, within: inputs.within });
    const last = items.at(-1);
    return [
      element("p", { class: "answer" }, percent(last.share), element("small", {}, ` ${last.event_type}`)),
      rankedBars(items.map((item) => ({ label: `${item.step}. ${item.event_type}`, value: item.users, note: percent(item.share) }))),
    ];
  });
}
