// What visits are grouped and filtered by: the API's group, the field of its rows, and the filter that a click sets. Those
// of the same pair share an answer.
import { country } from "../shared/formats.js";
import { hasTranslation, translate } from "../shared/words.js";

export const DIMENSIONS = [
  { name: "pages", group: "page", filter: "page_url" },
  { name: "categories", group: "category", filter: "category" },
  { name: "products", group: "page", filter: "page_url", query: { kind: "product" } },
  { name: "countries", group: "country", filter: "country" },
  { name: "referrers", group: "referrer", filter: "referrer" },
  { name: "browsers", group: "browser", filter: "browser", pair: "browser,os" },
  { name: "systems", group: "os", filter: "os", pair: "browser,os" },
  { name: "devices", group: "device", filter: "device", pair: "device,status" },
  { name: "statuses", group: "status", filter: "status", pair: "device,status" },
  { name: "kinds", group: "kind", filter: "kind" },
];

// Returns how a value of a filter is written for the reader.
export function valueText(filter, value) {
  if (value === null) return translate(hasTranslation(`none.${filter}`) ? `none.${filter}` : "none");
  if (filter === "country") return country(value);
  if (filter === "kind" || filter === "device") return hasTranslation(`${filter}.${value}`) ? translate(`${filter}.${value}`) : value;
  if (filter === "page_url") return value.replace(/^https?:\/\//, "");
  return filter === "category" ? value.replaceAll("_", " ") : String(value);
}

// The name of a product is the last part of its page's path.
export function productText(pageUrl) {
  const name = pageUrl.replace(/[?#].*$/, "").split("/").filter(Boolean).at(-1) ?? pageUrl;
  try {
    return decodeURIComponent(name).replaceAll("_", " ");
  } catch {
    return name;
  }
}
