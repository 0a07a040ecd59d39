// The view of films: search, details, favourites.
import { requestJson, sendJson } from "../shared/api.js";
import { onBack } from "../shared/connection.js";
import { button, element, field } from "../shared/elements.js";
import { problemText } from "../shared/forms.js";
import { attempt } from "../shared/lists.js";
import { redraw } from "../shared/redraw.js";
import { translate } from "../shared/words.js";
import { filmDetails, filmItem } from "./film.js";

const PAGE = 50;

export async function show(view, { signal, own, setOwn }) {
  const query = element("input", { name: "query", type: "search", value: own.query ?? "", required: true });
  const results = element("div");
  const favourites = element("div");
  const ids = new Set(); // of the favourites

  async function search(page = 1) {
    if (!query.value.trim()) return results.replaceChildren();
    try {
      const { items, next } = await requestJson("/movies/search", { query: { query: query.value, page }, signal });
      if (page === 1) results.replaceChildren();
      results.querySelector(".more")?.remove();
      results.append(items.length ? films(items) : element("p", { class: "dim" }, translate("nothing-found")));
      if (next) results.append(button(translate("more"), () => search(next), { class: "more" }));
    } catch (error) {
      showTrouble(results, error);
    }
  }

  async function loadFavourites(cursor = null) {
    try {
      const { items, next } = await requestJson("/movies/favorites", { query: { limit: PAGE, cursor }, signal });
      if (!cursor) ids.clear();
      items.forEach((film) => ids.add(film.kinopoisk_id));
      favourites.querySelector(".more")?.remove();
      const shown = [
        ...(cursor ? favourites.childNodes : []), ids.size ? films(items) : element("p", { class: "dim" }, translate("no-favourites")),
        ...(next ? [button(translate("more"), () => loadFavourites(next), { class: "more" })] : []),
      ];
      redraw(favourites, ...shown);
    } catch (error) {
      showTrouble(favourites, error);
    }
  }

  const toggle = (film) => attempt(async () => {
    if (ids.has(film.kinopoisk_id)) await requestJson(`/movies/favorites/${film.kinopoisk_id}`, { method: "DELETE" });
    else await sendJson("POST", "/movies/favorites", { kinopoisk_id: film.kinopoisk_id });
    await loadFavourites();
    for (const star of view.querySelectorAll("[data-star]")) star.setAttribute("aria-pressed", String(ids.has(Number(star.dataset.star))));
  });
  const details = (film) => attempt(async () => filmDetails(await requestJson(`/movies/${film.kinopoisk_id}`, { signal })));
  const films = (items) => element("ul", { class: "films" }, items.map((film) => filmItem(film, { isFavourite: ids.has(film.kinopoisk_id), onStar: toggle, onDetails: details })));

  const form = element("form", { class: "row own", role: "search", onsubmit: (event) => {
    event.preventDefault();
    setOwn({ query: query.value });
    search();
  } }, field(translate("film-search"), query), button(translate("search"), null, { type: "submit", class: "primary" }));
  onBack(() => {
    if (results.querySelector(".bad")) search();
    if (favourites.querySelector(".bad")) loadFavourites();
  }, signal);
  view.replaceChildren(element("h1", {}, translate("films")),
    element("section", { class: "card" }, form, results),
    element("section", { class: "card", "data-list": "favourites" }, element("h2", {}, translate("favourites")), favourites));
  await loadFavourites();
  if (own.query) await search();
}

function showTrouble(root, error) {
  if (error.name === "AbortError") return;
  const text = error.code === "movies_not_configured" ? translate("films-need-key") : problemText(error);
  root.replaceChildren(element("p", { class: "notice bad", role: "alert" }, text));
}
