// Period, time zone, source and traffic of all views. They are in the address, so that a view can be shared; it says what
// is shown, never to whom. A preset stays relative there, and each reader has the own time zone unless one was chosen.
import { requestJson } from "./api.js";
import { isShare } from "./session.js";
import { localOf } from "./formats.js";
import { isDate, OWN, periodProblem, PRESETS, resolvePeriod, steppedPeriod } from "./period.js";

export const SETTINGS = ["period", "from", "to", "tz", "source", "traffic"];
export const SOURCES = ["all", "log", "api", "page", "site"];
export const TRAFFICS = ["", "bot", "all"]; // none is people's

const NO_ZONE = "UTC";
const systemZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ownZone = isZone(systemZone) ? systemZone : NO_ZONE;

// `period` is empty where none is chosen: then each view has its own.
export const settings = { period: "", from: "", to: "", tz: ownZone, source: "all", traffic: "" };

// An offset such as +05:30 is a zone to some browsers, and none to the API.
function isZone(name) {
  try {
    return /^[a-z]/i.test(name) && name !== "Etc/Unknown" && Boolean(Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

export const zones = () => [...new Set([NO_ZONE, ownZone, ...Intl.supportedValuesOf("timeZone")])];

// Returns the zone that a reader means, by its name in the browser's table; null if there is none.
export function findZone(text) {
  const name = text.trim().replaceAll(" ", "_").toLowerCase();
  return zones().find((zone) => zone.toLowerCase() === name) ?? (isZone(text.trim()) ? Intl.DateTimeFormat("en", { timeZone: text.trim() }).resolvedOptions().timeZone : null);
}

// `parameters`: those of the address.
export function readSettings(parameters) {
  for (const name of SETTINGS) settings[name] = parameters.get(name) ?? "";
  if (settings.from || settings.to) settings.period = OWN;
  else if (!PRESETS.includes(settings.period)) settings.period = "";
  settings.tz = findZone(settings.tz) ?? ownZone;
  if (!SOURCES.includes(settings.source)) settings.source = SOURCES[0];
  if (!TRAFFICS.includes(settings.traffic)) settings.traffic = TRAFFICS[0];
}

// Returns the settings that the address has to name.
export function settingsParameters() {
  const { period, from, to, tz, source, traffic } = settings;
  const isOwn = period === OWN;
  return {
    period: isOwn ? "" : period, from: isOwn ? from : "", to: isOwn ? to : "",
    tz: tz === ownZone ? "" : tz, source: source === SOURCES[0] ? "" : source, traffic,
  };
}

let newest = null;

// Asks when the newest visit of the source, or the newest event, was: presets end there. Resolves to null if there is none.
export async function loadNewest(signal, path = "/visits") {
  if (isShare()) {
    ({ newest } = await requestJson("/shares/current", { signal }));
    return newest;
  }
  const { items } = await requestJson(path, { query: { limit: 1, ...(path === "/visits" && settings.source !== "all" ? { source: settings.source } : {}) }, signal });
  newest = items[0]?.timestamp ?? items[0]?.occurred_at ?? null;
  return newest;
}

const chosen = (fallback) => ({ ...settings, period: settings.period || fallback });

// Returns the period as the API takes it. `fallback`: the view's preset, if none is chosen.
export const currentPeriod = (fallback) => resolvePeriod(chosen(fallback), newest ?? new Date().toISOString(), settings.tz);

// Returns the period before or after the current one; null if there is none, or if all visits are older.
export function nextPeriod(direction, fallback) {
  if (settingsProblem()) return null;
  const next = steppedPeriod(currentPeriod(fallback), direction);
  if (!next || direction < 0) return next;
  const end = newest ?? new Date().toISOString();
  const isReached = isDate(next.from) ? next.from <= localOf(end, settings.tz).slice(0, 10) : Date.parse(next.from) <= Date.parse(end);
  return isReached ? next : null;
}

export const newestTime = () => newest;

export const settingsProblem = () => periodProblem(settings);
