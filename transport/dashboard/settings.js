// Period, time zone and source of all views. They are in the URL, so that a view can be shared; the URL says what is
// shown, never to whom.
import { button, element, field, select } from "./elements.js";
import { instantOf, localOf } from "./formats.js";
import { translate } from "./words.js";

const DEFAULTS = { from: "", to: "", tz: "UTC", source: "all" };
const ONE_DAY = 86_400_000;
const QUARTER = 900_000;
const PERIODS = [["", 0], ["1", 1], ["7", 7], ["30", 30]];

export const settings = { ...DEFAULTS };
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

// `query`: the part of the URL after "#view?".
export function readSettings(query) {
  const parameters = new URLSearchParams(query);
  for (const name of Object.keys(DEFAULTS)) settings[name] = parameters.get(name) ?? DEFAULTS[name];
  if (!zones().includes(settings.tz)) settings.tz = DEFAULTS.tz;
}

export function settingsQuery() {
  const parameters = Object.entries(settings).filter(([name, value]) => value !== DEFAULTS[name]);
  return parameters.length ? `?${new URLSearchParams(parameters)}` : "";
}

function zones() {
  return [...new Set(["UTC", ownZone, ...Intl.supportedValuesOf("timeZone")])];
}

// Periods end at the newest visit, which comes with the reports: a log is often older than today.
let newest = null;

export function setNewestVisit(time) {
  newest = time;
}

// Makes the controls. A change writes `settings`, then calls `onChange`. Events have no source.
export function settingsForm(onChange, { withSource = true } = {}) {
  const change = (changes) => {
    Object.assign(settings, changes);
    onChange();
  };
  const from = timeControl("from");
  const to = timeControl("to");
  const period = select(
    [...PERIODS.map(([value]) => [value, translate("period.days", value)]), ["own", translate("period.own")]],
    currentPeriod(),
  );
  const ownPeriod = element("div", { class: "row", hidden: period.value !== "own" },
    field(translate("from"), from, translate("included")), field(translate("to"), to, translate("excluded")),
    button(translate("apply"), () => change({ from: instantOf(from.value, settings.tz), to: instantOf(to.value, settings.tz) })));
  period.addEventListener("change", () => {
    ownPeriod.hidden = period.value !== "own";
    if (period.value !== "own") change(lastDays(Number(period.value)));
  });
  const zone = select(zones().map((name) => [name, name.replaceAll("_", " ")]), settings.tz, {
    onchange: (event) => change({ tz: event.target.value }),
  });
  const source = select(["all", "log", "api"].map((name) => [name, translate(`source.${name}`)]), settings.source, {
    onchange: (event) => change({ source: event.target.value }),
  });
  return element("form", { class: "settings", "aria-label": translate("settings"), onsubmit: (event) => event.preventDefault() },
    field(translate("period"), period), ownPeriod, field(translate("zone"), zone), withSource ? field(translate("source"), source) : null);
}

function timeControl(name) {
  const value = settings[name] ? localOf(settings[name], settings.tz) : "";
  return element("input", { type: "datetime-local", step: 900, value });
}

// Returns the period of so many days that ends at the quarter hour after the newest visit.
function lastDays(days) {
  if (!days) return { from: "", to: "" };
  const end = (Math.floor((newest ? Date.parse(newest) : Date.now()) / QUARTER) + 1) * QUARTER;
  const instant = (time) => new Date(time).toISOString().replace(".000Z", "Z");
  return { from: instant(end - days * ONE_DAY), to: instant(end) };
}

function currentPeriod() {
  if (!settings.from && !settings.to) return "";
  const match = PERIODS.find(([, days]) => {
    const period = lastDays(days);
    return period.from === settings.from && period.to === settings.to;
  });
  return match ? match[0] : "own";
}
