// The view of event statistics: active users, top events, retention and a funnel.
import { askJson } from "./api.js";
import { inColumns } from "./columns.js";
import { button, element, field, select } from "./elements.js";
import { day, number, percent } from "./formats.js";
import { columns, rankedBars } from "./plots.js";
import { retentionGrid } from "./retention.js";
import { settings, settingsForm } from "./settings.js";
import { table } from "./tables.js";
import { say } from "./words.js";

const COLUMN = 34; // rem
const TOP = 10;
const STEPS = 3; // of the funnel that is shown first
// What was chosen stays when the view is drawn anew.
const chosen = { segment: "", start: "", unit: "day", windows: 7, steps: "", within: 86_400 };

const period = () => ({ from: settings.from, to: settings.to });

export async function showEvents(view, { signal, onSettings }) {
  const asks = (path, query) => askJson(path, { query, signal });
  const top = await topEvents(asks);
  chosen.steps ||= top.slice(0, STEPS).map((event) => event.event_type).join(",");
  const cards = [activeUsers(asks), topCard(asks), retention(asks), funnel(asks)];
  const place = element("div", { class: "cards" });
  view.replaceChildren(
    element("h1", {}, say("events")),
    settingsForm(onSettings, { withSource: false }),
    place,
  );
  inColumns(place, cards.map((card) => [card.root, 1]), COLUMN, signal);
  const refresh = () => Promise.all(cards.map((card) => card.load()));
  await refresh();
  return refresh;
}

// A card with a form of its own, whose changes draw it anew.
function card(name, controls, draw) {
  const content = element("div", { class: "content" });
  const trouble = element("p", { class: "trouble", role: "alert" });
  async function load() {
    try {
      content.replaceChildren(...[await draw()].flat());
      trouble.textContent = "";
    } catch (error) {
      if (error.name !== "AbortError") trouble.textContent = error.message;
    }
  }
  const form = controls.length
    ? element("form", { class: "row own", onsubmit: (event) => { event.preventDefault(); load(); } },
        controls, button(say("show"), null, { type: "submit" }))
    : null;
  const root = element("section", { class: "card", "data-stat": name },
    element("h2", {}, say(name)), element("p", { class: "dim" }, say(`${name}-hint`)), form, trouble, content);
  return { root, load };
}

function input(name, attributes = {}) {
  return element("input", { value: chosen[name], oninput: (event) => { chosen[name] = event.target.value; }, ...attributes });
}

function activeUsers(asks) {
  return card("dau", [field(say("segment"), input("segment", { placeholder: "event_type:purchase" }))], async () => {
    const { items } = await asks("/stats/dau", { ...period(), tz: settings.tz, segment: chosen.segment });
    if (!items.length) return element("p", { class: "dim" }, say("no-events"));
    const shown = items.map((item) => ({ value: item.users, label: day(item.day, settings.tz) }));
    const rows = [{ label: say("column.day"), of: (item) => item.label }, { label: say("column.users"), numeric: true, of: (item) => number(item.value) }];
    return [
      element("p", { class: "answer" }, number(shown.at(-1).value), element("small", {}, ` ${shown.at(-1).label}`)),
      columns(shown, say("dau")),
      element("details", {}, element("summary", {}, say("rows")), element("div", { class: "scroll" }, table(say("dau"), rows, shown))),
    ];
  });
}

async function topEvents(asks) {
  return (await asks("/stats/top-events", { ...period(), limit: TOP })).items;
}

function topCard(asks) {
  return card("top-events", [], async () => {
    const top = await topEvents(asks);
    return top.length
      ? rankedBars(top.map((event) => ({ label: event.event_type, value: event.events, note: say("by-users", number(event.users)) })))
      : element("p", { class: "dim" }, say("no-events"));
  });
}

function retention(asks) {
  const unit = select(["day", "week"].map((name) => [name, say(`unit.${name}`)]), chosen.unit, {
    onchange: (event) => { chosen.unit = event.target.value; },
  });
  const controls = [
    field(say("start"), input("start", { type: "date" })),
    field(say("unit"), unit),
    field(say("windows"), input("windows", { type: "number", min: 1, max: 90 })),
  ];
  return card("retention", controls, async () => {
    if (!chosen.start) chosen.start = await firstDay(asks);
    if (!chosen.start) return element("p", { class: "dim" }, say("no-events"));
    controls[0].querySelector("input").value = chosen.start;
    const { start, unit: asked, windows } = chosen;
    const { items } = await asks("/stats/retention", { start, unit: asked, windows, tz: settings.tz });
    return retentionGrid(items, asked);
  });
}

// The first of the last seven days that have events.
async function firstDay(asks) {
  const { items } = await asks("/stats/dau", { ...period(), tz: "UTC" });
  return items.at(-7)?.day.slice(0, 10) ?? items[0]?.day.slice(0, 10) ?? "";
}

function funnel(asks) {
  const controls = [
    field(say("steps"), input("steps", { placeholder: "view,cart,purchase" }), say("steps-hint")),
    field(say("within"), input("within", { type: "number", min: 1 })),
  ];
  return card("funnel", controls, async () => {
    if (chosen.steps.split(",").length < 2) return element("p", { class: "dim" }, say("two-steps"));
    const { items } = await asks("/stats/funnel", { ...period(), steps: chosen.steps, within: chosen.within });
    const last = items.at(-1);
    return [
      element("p", { class: "answer" }, percent(last.share), element("small", {}, ` ${last.event_type}`)),
      rankedBars(items.map((item) => ({ label: `${item.step}. ${item.event_type}`, value: item.users, note: percent(item.share) }))),
    ];
  });
}
