// The view of films: search, details, favourites.
import { requestJson, sendJson } from "../shared/api.js";
import { onBack } from "../shared/connection.js";
import { button, element, field } from "../shared/elements.js";
import { problemText } from "../shared/forms.js";
import { markLate } from "../shared/late.js";
import { attempt, pages } from "../shared/lists.js";
import { loadingNote } from "../shared/messages.js";
import { redraw } from "../shared/redraw.js";
import { translate } from "../shared/words.js";
import { filmDetails, filmItem } from "./film.js";

const FAVOURITES = 1000; // read at once, so that the star of a film that was found says whether it is one

export async function show(view, { signal, own, setOwn }) {
  const query = element("input", { name: "query", type: "search", value: own.query ?? "", required: true });
  const found = element("div");
  const kept = element("div");
  const ids = new Set(); // of the favourites

  const results = pages("/movies/search", {
    query: () => ({ query: query.value }), position: "page", fail: (error) => showTrouble(found, error), signal,
    show: (items, isMore) => {
      if (!isMore) found.replaceChildren();
      if (items.length || !isMore) found.append(items.length ? films(items) : element("p", { class: "dim" }, translate("nothing-found")));
    },
  });
  const favourites = pages("/movies/favorites", {
    query: () => ({ limit: FAVOURITES }), fail: (error) => showTrouble(kept, error), signal,
    show: (items, isMore) => {
      if (!isMore) ids.clear();
      items.forEach((film) => ids.add(film.kinopoisk_id));
      redraw(kept, ...(isMore ? kept.childNodes : []), ids.size ? films(items) : element("p", { class: "dim" }, translate("no-favourites")));
    },
  });

  const toggle = (film) => attempt(async () => {
    if (ids.has(film.kinopoisk_id)) await requestJson(`/movies/favorites/${film.kinopoisk_id}`, { method: "DELETE" });
    else await sendJson("POST", "/movies/favorites", { kinopoisk_id: film.kinopoisk_id });
    await favourites.load();
    for (const star of view.querySelectorAll("[data-star]")) star.setAttribute("aria-pressed", String(ids.has(Number(star.dataset.star))));
  });
  const details = (film) => attempt(async () => filmDetails(await requestJson(`/movies/${film.kinopoisk_id}`, { signal })));
  const films = (items) => element("ul", { class: "films" }, items.map((film) => filmItem(film, { isFavourite: ids.has(film.kinopoisk_id), onStar: toggle, onDetails: details })));

  function search() {
    if (!found.hasChildNodes()) found.replaceChildren(loadingNote());
    return markLate(results.more.closest(".card"), results.load());
  }

  const form = element("form", { class: "row own", role: "search", onsubmit: (event) => {
    event.preventDefault();
    query.value = query.value.trim();
    if (!form.reportValidity()) return;
    setOwn({ query: query.value });
    search();
  } }, field(translate("film-search"), query), button(translate("search"), null, { type: "submit", class: "primary" }));
  onBack(() => {
    if (found.querySelector(".bad")) results.load();
    if (kept.querySelector(".bad")) favourites.load();
  }, signal);
  view.replaceChildren(element("h1", {}, translate("films")),
    element("section", { class: "card" }, form, found, results.more),
    element("section", { class: "card", "data-list": "favourites" }, element("h2", {}, translate("favourites")), kept, favourites.more));
  await favourites.load();
  if (own.query) await search();
}

function showTrouble(root, error) {
  if (error.name === "AbortError") return;
  const text = error.code === "movies_not_configured" ? translate("films-need-key") : problemText(error);
  root.replaceChildren(element("p", { class: "notice bad", role: "alert" }, text));
}
