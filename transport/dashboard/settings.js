// Period, time zone and source for all views at once. They stand in the address, so that a view can be shared: what
// is there says what is looked at, never who looks.
import { button, element, field, select } from "./elements.js";
import { instantOf, localOf } from "./formats.js";
import { say } from "./words.js";

const DEFAULTS = { from: "", to: "", tz: "UTC", source: "all" };
const ONE_DAY = 86_400_000;
const QUARTER = 900_000;
const PERIODS = [["", 0], ["1", 1], ["7", 7], ["30", 30]];

export const settings = { ...DEFAULTS };
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// Reads them from the part of the address after "#view?".
export function readSettings(query) {
  const given = new URLSearchParams(query);
  for (const name of Object.keys(DEFAULTS)) settings[name] = given.get(name) ?? DEFAULTS[name];
  if (!zones().includes(settings.tz)) settings.tz = DEFAULTS.tz;
}

export function settingsQuery() {
  const changed = Object.entries(settings).filter(([name, value]) => value !== DEFAULTS[name]);
  return changed.length ? `?${new URLSearchParams(changed)}` : "";
}

function zones() {
  return [...new Set(["UTC", ownZone, ...Intl.supportedValuesOf("timeZone")])];
}

// Periods end with the newest visit, which the reports tell: a log is often older than today.
let newest = null;

export function noteNewest(time) {
  newest = time;
}

// The controls; `onChange` is called when one was changed. Events have no source.
export function settingsForm(onChange, { withSource = true } = {}) {
  const change = (changes) => {
    Object.assign(settings, changes);
    onChange();
  };
  const from = timeControl("from");
  const to = timeControl("to");
  const period = select(
    [...PERIODS.map(([value]) => [value, say("period.days", value)]), ["own", say("period.own")]],
    chosenPeriod(),
  );
  const ownPeriod = element("div", { class: "row", hidden: period.value !== "own" },
    field(say("from"), from, say("included")), field(say("to"), to, say("excluded")),
    button(say("apply"), () => change({ from: instantOf(from.value, settings.tz), to: instantOf(to.value, settings.tz) })));
  period.addEventListener("change", () => {
    ownPeriod.hidden = period.value !== "own";
    if (period.value !== "own") change(lastDays(Number(period.value)));
  });
  const zone = select(zones().map((name) => [name, name.replaceAll("_", " ")]), settings.tz, {
    onchange: (event) => change({ tz: event.target.value }),
  });
  const source = select(["all", "log", "api"].map((name) => [name, say(`source.${name}`)]), settings.source, {
    onchange: (event) => change({ source: event.target.value }),
  });
  return element("form", { class: "settings", "aria-label": say("settings"), onsubmit: (event) => event.preventDefault() },
    field(say("period"), period), ownPeriod, field(say("zone"), zone), withSource ? field(say("source"), source) : null);
}

function timeControl(name) {
  const value = settings[name] ? localOf(settings[name], settings.tz) : "";
  return element("input", { type: "datetime-local", step: 900, value });
}

// The period that ends with the quarter hour after the newest visit.
function lastDays(days) {
  if (!days) return { from: "", to: "" };
  const end = (Math.floor((newest ? Date.parse(newest) : Date.now()) / QUARTER) + 1) * QUARTER;
  const instant = (time) => new Date(time).toISOString().replace(".000Z", "Z");
  return { from: instant(end - days * ONE_DAY), to: instant(end) };
}

function chosenPeriod() {
  if (!settings.from && !settings.to) return "";
  const same = PERIODS.find(([, days]) => {
    const period = lastDays(days);
    return period.from === settings.from && period.to === settings.to;
  });
  return same ? same[0] : "own";
}
