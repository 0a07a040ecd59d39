"""Films as Kinopoisk tells of them, made into one shape.

Its two routes name and type the same things differently, and unknown values come as absent, null, "null" or
something else altogether. Only the id is relied upon; whatever can't be understood is None.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ID = 2**63 - 1
PAGE_SIZE = 20  # films of a full page
YEARS = range(1800, 2200)
MAX_LENGTH = 60 * 24 * 365  # minutes; what is longer is no film's length
MAX_RATING = 10

YEAR = re.compile(r"(\d{4})(?!\d)", re.ASCII)
CLOCK_LENGTH = re.compile(r"(\d{1,4}):([0-5]\d)", re.ASCII)
MINUTES = re.compile(r"\d{1,6}", re.ASCII)
IDENTIFIER = re.compile(r"\d{1,19}", re.ASCII)
DECIMAL = re.compile(r"\d{1,2}(?:\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of a film. Ratings are from 0 to 10; `type` is FILM, TV_SERIES and the like."""

    kinopoisk_id: int
    imdb_id: str | None = None
    name_ru: str | None = None
    name_en: str | None = None
    name_original: str | None = None
    year: int | None = None
    length_minutes: int | None = None
    type: str | None = None
    description: str | None = None
    poster_url: str | None = None
    rating_kinopoisk: float | None = None
    rating_imdb: float | None = None
    countries: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    web_url: str | None = None


@dataclass(frozen=True, slots=True)
class FilmPage:
    """One page of a search; `next_page` is None on the last."""

    films: tuple[Film, ...]
    next_page: int | None


def film_from(record: object) -> Film | None:
    """The film of a record of either route; None if it has no id, so is no film."""
    if not isinstance(record, Mapping):
        return None
    film_id = identifier(record.get("kinopoiskId")) or identifier(record.get("filmId"))
    if film_id is None:
        return None
    return Film(
        kinopoisk_id=film_id,
        imdb_id=text(record.get("imdbId")),
        name_ru=text(record.get("nameRu")),
        name_en=text(record.get("nameEn")),
        name_original=text(record.get("nameOriginal")),
        year=year(record.get("year")),
        length_minutes=length_minutes(record.get("filmLength")),
        type=text(record.get("type")),
        description=text(record.get("description")),
        poster_url=web_address(record.get("posterUrl")),
        rating_kinopoisk=first_rating(record.get("ratingKinopoisk"), record.get("rating")),
        rating_imdb=rating(record.get("ratingImdb")),
        countries=names(record.get("countries"), "country"),
        genres=names(record.get("genres"), "genre"),
        web_url=web_address(record.get("webUrl")),
    )


def page_from(record: Mapping[str, Any], number: int) -> FilmPage:
    """Page `number` of a search. Entries that are no films are left out."""
    entries = record.get("films")
    entries = entries if isinstance(entries, list) else []
    films = tuple(film for film in map(film_from, entries) if film is not None)
    pages = whole(record.get("pagesCount"))
    # Where the count of pages can't be understood, a full page is the sign that another one follows.
    more = len(entries) >= PAGE_SIZE if pages is None else number < pages
    return FilmPage(films, number + 1 if more and films else None)


def text(value: object) -> str | None:
    """Text that says something and that PostgreSQL can store."""
    if not isinstance(value, str):
        return None
    clean = value.replace("\0", "").encode(errors="replace").decode().strip()
    return clean if clean and clean.lower() != "null" else None


def whole(value: object) -> int | None:
    """A whole number from 0, also one that is written as 7.0 or "7"."""
    if isinstance(value, str):
        value = int(value) if IDENTIFIER.fullmatch(value.strip()) else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_ID else None


def identifier(value: object) -> int | None:
    return whole(value) or None


def year(value: object) -> int | None:
    """A year, of a series that in which it began ("2019-2021")."""
    if isinstance(value, str):
        matched = YEAR.match(value.strip())
        value = int(matched[1]) if matched else None
    found = whole(value)
    return found if found in YEARS else None


def length_minutes(value: object) -> int | None:
    """Minutes, from a number of them or from "hours:minutes"."""
    found = whole(value)
    if isinstance(value, str):
        bare = value.strip()
        clock = CLOCK_LENGTH.fullmatch(bare)
        found = int(clock[1]) * 60 + int(clock[2]) if clock else None
        if MINUTES.fullmatch(bare):
            found = int(bare)
    return found if found and found <= MAX_LENGTH else None


def rating(value: object) -> float | None:
    """A rating of 0 to 10. "99%" is none: that is how many look forward to the film."""
    if isinstance(value, str) and DECIMAL.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= MAX_RATING else None


def first_rating(*values: object) -> float | None:
    return next((found for found in map(rating, values) if found is not None), None)


def web_address(value: object) -> str | None:
    """An address that is safe to link to."""
    found = text(value)
    return found if found and found.lower().startswith(("https://", "http://")) else None


def names(value: object, key: str) -> tuple[str, ...]:
    """The texts of a list of {key: text}, each once."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    found = (text(entry.get(key)) if isinstance(entry, Mapping) else text(entry) for entry in value)
    return tuple(dict.fromkeys(name for name in found if name is not None))
