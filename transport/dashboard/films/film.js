// A film in a list, and its details. Posters are on another host, which this page may not ask.
import { button, element } from "../shared/elements.js";
import { number } from "../shared/formats.js";
import { showDialog } from "../shared/messages.js";
import { currentLanguage, translate } from "../shared/words.js";

const nameOf = (film) => {
  const names = currentLanguage() === "ru" ? [film.name_ru, film.name_original, film.name_en] : [film.name_en, film.name_original, film.name_ru];
  return names.find(Boolean) ?? `№ ${film.kinopoisk_id}`;
};

export function filmItem(film, { isFavourite, onStar, onDetails }) {
  const name = nameOf(film);
  const facts = [film.year, film.countries?.join(", "), film.genres?.join(", ")].filter(Boolean);
  return element("li", { class: "film" },
    element("div", {}, element("strong", {}, name), element("p", { class: "dim" }, facts.join(" · "))),
    film.rating_kinopoisk ? element("span", { class: "badge" }, number(film.rating_kinopoisk)) : null,
    button("★", () => onStar(film), { class: "star", "data-star": film.kinopoisk_id, "aria-pressed": String(isFavourite), "aria-label": translate("favourite-of", name) }),
    button(translate("details"), () => onDetails(film), { class: "link", "aria-label": translate("details-of", name) }));
}

export function filmDetails(film) {
  const facts = [
    ["year", film.year], ["length", film.length_minutes && translate("minutes", number(film.length_minutes))],
    ["film-type", film.type], ["countries", film.countries?.join(", ")], ["genres", film.genres?.join(", ")],
    ["rating-kinopoisk", film.rating_kinopoisk && number(film.rating_kinopoisk)], ["rating-imdb", film.rating_imdb && number(film.rating_imdb)],
    ["original-name", film.name_original],
  ];
  return showDialog(nameOf(film),
    element("h2", {}, nameOf(film)),
    film.description ? element("p", {}, film.description) : null,
    element("dl", { class: "facts" }, facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, translate(name)), element("dd", {}, String(value))])),
    film.web_url ? element("p", {}, element("a", { href: film.web_url, target: "_blank", rel: "noopener noreferrer" }, translate("at-kinopoisk"))) : null);
}
