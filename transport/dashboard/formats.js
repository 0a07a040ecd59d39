// Numbers, times and countries as the reader's language writes them.
import { currentLanguage } from "./words.js";

export const number = (value, options) => new Intl.NumberFormat(currentLanguage(), options).format(value);
export const rate = (value) => number(value, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
export const percent = (value) => number(value, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const wholePercent = (value) => number(value, { style: "percent", maximumFractionDigits: 0 });
export const bytes = (value) =>
  number(value / 2 ** 20, { maximumFractionDigits: 1, style: "unit", unit: "megabyte", unitDisplay: "short" });

function format(instant, options, zone) {
  return new Intl.DateTimeFormat(currentLanguage(), { ...options, timeZone: zone }).format(new Date(instant));
}

export const moment = (instant, zone) => format(instant, { dateStyle: "medium", timeStyle: "short" }, zone);
export const momentToSecond = (instant, zone) => format(instant, { dateStyle: "short", timeStyle: "medium" }, zone);
export const hourOfDay = (instant, zone) => format(instant, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone);
export const dayAndMonth = (instant, zone) => format(instant, { day: "2-digit", month: "2-digit" }, zone);
export const day = (instant, zone) => format(instant, { dateStyle: "medium" }, zone);

export function country(code, name) {
  try {
    // English names are the server's own, which its CSV has too.
    if (currentLanguage() === "en") return name ?? code;
    return new Intl.DisplayNames([currentLanguage()], { type: "region" }).of(code);
  } catch {
    return name ?? code;
  }
}

// How far a zone's clocks are ahead of UTC at an instant, in milliseconds.
function ahead(milliseconds, zone) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23",
      year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    }).formatToParts(milliseconds).map((part) => [part.type, Number(part.value)]),
  );
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return local - Math.floor(milliseconds / 1000) * 1000;
}

// The instant at which a zone's clocks show `local`, the value of a datetime-local field; empty for none.
export function instantOf(local, zone) {
  if (!local) return "";
  const asUtc = Date.parse(`${local}Z`);
  let instant = asUtc - ahead(asUtc, zone);
  instant = asUtc - ahead(instant, zone); // the first guess may lie on the other side of a change of clocks
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

// What a datetime-local field shows for an instant.
export function localOf(instant, zone) {
  const milliseconds = Date.parse(instant);
  return new Date(milliseconds + ahead(milliseconds, zone)).toISOString().slice(0, 16);
}
