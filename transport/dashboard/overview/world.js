// A map of the world, on which a country is the darker the more visits come from it. Its data come apart from the page.
import { rootUrl } from "../shared/api.js";
import { lose, onBack } from "../shared/connection.js";
import { element, shape } from "../shared/elements.js";
import { number } from "../shared/formats.js";
import { translate } from "../shared/words.js";
import { valueText } from "./dimensions.js";

const FAINTEST = 0.25;
const PLACE_RADIUS = 2.5;

let world = null;

// Resolves when the maps that are shown are drawn, or can't be.
export const untilDrawn = () => (world ?? Promise.resolve()).catch(() => {});

function loadWorld() {
  world ??= fetch(`${rootUrl}/dashboard/world.json`).then((response) => response.json());
  return world;
}

// `onChoose`: null where countries are not filters. The list beside the map says the same to those who can't see or click it.
export function worldMap(items, onChoose, signal) {
  const root = element("div", { class: "world" });
  const show = () => loadWorld().then((data) => root.replaceChildren(draw(data, items, onChoose)), () => {
    world = null;
    lose();
  });
  onBack(() => (root.isConnected && !root.hasChildNodes() ? show() : null), signal);
  show();
  return root;
}

function draw({ width, height, shapes, places }, items, onChoose) {
  const countries = items.filter((item) => item.country !== null);
  const most = Math.max(...countries.map((item) => item.visits), 1);
  const marks = countries.map(({ country, visits }) => {
    // The square root keeps countries visible: the first often has ten times the visits of the second.
    const attributes = { class: "mark", "fill-opacity": FAINTEST + (1 - FAINTEST) * Math.sqrt(visits / most), onclick: onChoose && (() => onChoose(country)) };
    const title = shape("title", {}, `${valueText("country", country)}: ${number(visits)}`);
    if (shapes[country]) return shape("path", { ...attributes, d: shapes[country] }, title);
    if (places[country]) return shape("circle", { ...attributes, cx: places[country][0], cy: places[country][1], r: PLACE_RADIUS }, title);
    return null;
  });
  return shape("svg", { class: onChoose ? "chart choices" : "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": translate("map") },
    shape("path", { class: "land", d: Object.values(shapes).join("") }), marks);
}
