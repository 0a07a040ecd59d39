// Shows the server's SVG charts within the page, in the reader's language and theme.
import { shape } from "./elements.js";
import { country, dayAndMonth, hourOfDay, number, percent } from "./formats.js";
import { knows, say } from "./words.js";

const ELEMENTS = new Set(["svg", "g", "path", "rect", "circle", "text", "title"]);
const ATTRIBUTES = new Set([
  "viewBox", "class", "role", "aria-label", "d", "x", "y", "width", "height", "rx", "r", "cx", "cy",
  "fill-opacity", "fill-rule", "transform",
]);
const LABEL_CHARACTERS = 36;

// Text becomes a document here alone, as XML that is looked through before any of it is shown.
const policy = globalThis.trustedTypes?.createPolicy("charts", { createHTML: (text) => text });

// The report that a chart carries, and the chart as elements of this page.
export function readChart(text) {
  // Its style is for where it stands alone; the page has its own, and its policy allows no other.
  const bare = text.replace(/<style>[^<]*<\/style>/, "");
  const parsed = new DOMParser().parseFromString(policy ? policy.createHTML(bare) : bare, "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg") throw new Error("the chart can't be read");
  const report = JSON.parse(root.querySelector("metadata").textContent);
  const picture = copy(root, report.parameters.tz);
  // The page shows question and answer itself, so the picture begins with the plot.
  const top = Number(root.dataset.plot);
  const [, , width, height] = root.getAttribute("viewBox").split(" ").map(Number);
  picture.setAttribute("viewBox", `0 ${top} ${width} ${Math.max(height - top, 1)}`);
  picture.removeAttribute("width");
  picture.removeAttribute("height");
  return { report, picture };
}

// A copy that holds nothing but known elements and attributes.
function copy(from, zone) {
  const made = shape(from.localName);
  for (const { name, value } of from.attributes) if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  const said = from.localName === "text" ? meaning(from.dataset, zone, from.textContent) : null;
  if (said !== null) {
    made.textContent = said;
    return made;
  }
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && shown(child)) made.append(copy(child, zone));
  }
  return made;
}

const shown = (child) => ELEMENTS.has(child.localName) && !("part" in (child.dataset ?? {}));

// What a text stands for, said anew; null if it stands for itself.
function meaning(data, zone, text) {
  if (data.number !== undefined) return number(Number(data.number));
  if (data.share !== undefined) return percent(Number(data.share));
  if (data.word !== undefined) return knows(`chart.${data.word}`) ? say(`chart.${data.word}`) : data.word;
  if (data.hour !== undefined) return hourOfDay(data.hour, zone);
  if (data.day !== undefined) return dayAndMonth(data.day, zone);
  if (data.country !== undefined) return shorten(country(data.country, text));
  if (data.category !== undefined) return text.replaceAll("_", " ");
  return null;
}

const shorten = (text) => (text.length > LABEL_CHARACTERS ? `${text.slice(0, LABEL_CHARACTERS - 1)}…` : text);
