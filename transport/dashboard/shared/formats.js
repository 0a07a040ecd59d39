// Formats numbers, times and countries in the reader's language.
import { currentLanguage } from "./words.js";

// The reader's own form of the page's language, such as en-GB.
const locale = () => navigator.languages.find((tag) => tag.split("-")[0] === currentLanguage()) ?? currentLanguage();

export const number = (value, options) => new Intl.NumberFormat(locale(), options).format(value);
export const rate = (value) => number(value, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
export const percent = (value) => number(value, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const wholePercent = (value) => number(value, { style: "percent", maximumFractionDigits: 0 });
export const bytes = (value) =>
  number(value / 2 ** 20, { maximumFractionDigits: 1, style: "unit", unit: "megabyte", unitDisplay: "short" });

function format(instant, options, zone) {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: zone }).format(new Date(instant));
}

export const moment = (instant, zone) => format(instant, { dateStyle: "medium", timeStyle: "short" }, zone);
export const momentToSecond = (instant, zone) => format(instant, { dateStyle: "short", timeStyle: "medium" }, zone);
export const hourOfDay = (instant, zone) => format(instant, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, zone);
export const dayAndMonth = (instant, zone) => format(instant, { day: "2-digit", month: "2-digit" }, zone);
export const signedPercent = (value) => number(value, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
export const month = (instant, zone) => format(instant, { month: "long", year: "numeric" }, zone);
export const dayWithWeekday = (instant, zone) => format(instant, { weekday: "short", day: "numeric", month: "short", year: "numeric" }, zone);
export const weekdayName = (index) => format(Date.UTC(2024, 0, 1 + index), { weekday: "short" }, "UTC"); // that day was a Monday
export const day = (instant, zone) => format(instant, { dateStyle: "medium" }, zone);

export function country(code, name) {
  try {
    // In English, the name from the server is the same as in its CSV.
    if (currentLanguage() === "en" && name) return name;
    return new Intl.DisplayNames([currentLanguage()], { type: "region" }).of(code);
  } catch {
    return name ?? code;
  }
}

// Returns a zone's offset from UTC at an instant. Both are in milliseconds.
function offset(milliseconds, zone) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23",
      year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    }).formatToParts(milliseconds).map((part) => [part.type, Number(part.value)]),
  );
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return local - Math.floor(milliseconds / 1000) * 1000;
}

// Converts the value of a datetime-local field, in a zone's local time, to an instant; empty stays empty.
export function instantOf(local, zone) {
  if (!local) return "";
  const asUtc = Date.parse(`${local}Z`);
  let instant = asUtc - offset(asUtc, zone);
  instant = asUtc - offset(instant, zone); // the first guess may be on the other side of a change of clocks
  return new Date(instant).toISOString().replace(".000Z", "Z");
}

// Converts an instant to the value of a datetime-local field.
export function localOf(instant, zone) {
  const milliseconds = new Date(instant).getTime();
  return new Date(milliseconds + offset(milliseconds, zone)).toISOString().slice(0, 16);
}
