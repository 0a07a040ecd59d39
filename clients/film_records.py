"""Records of films from Kinopoisk, made into one shape.

Its two routes name and type the same things differently, and unknown values come as absent, null, "null" or
something else altogether. Only the id is relied upon; a value that can't be understood is None.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ID = 2**63 - 1
PAGE_SIZE = 20  # films of a full page
YEARS = range(1800, 2200)
MAX_LENGTH = 60 * 24 * 365  # minutes; no film is longer
MAX_RATING = 10

YEAR = re.compile(r"(\d{4})(?!\d)", re.ASCII)
CLOCK_LENGTH = re.compile(r"(\d{1,4}):([0-5]\d)", re.ASCII)
MINUTES = re.compile(r"\d{1,6}", re.ASCII)
IDENTIFIER = re.compile(r"\d{1,19}", re.ASCII)
DECIMAL = re.compile(r"\d{1,2}(?:\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Film:
    """What Kinopoisk knows of a film. Ratings are from 0 to 10; `type` is FILM, TV_SERIES and the like."""

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


def read_film(record: object) -> Film | None:
    """Return the film of a record of either route; None if it has no id, so is not a film."""
    if not isinstance(record, Mapping):
        return None
    film_id = read_id(record.get("kinopoiskId")) or read_id(record.get("filmId"))
    if film_id is None:
        return None
    return Film(
        kinopoisk_id=film_id,
        imdb_id=read_text(record.get("imdbId")),
        name_ru=read_text(record.get("nameRu")),
        name_en=read_text(record.get("nameEn")),
        name_original=read_text(record.get("nameOriginal")),
        year=read_year(record.get("year")),
        length_minutes=read_length(record.get("filmLength")),
        type=read_text(record.get("type")),
        description=read_text(record.get("description")),
        poster_url=read_web_address(record.get("posterUrl")),
        rating_kinopoisk=read_first_rating(record.get("ratingKinopoisk"), record.get("rating")),
        rating_imdb=read_rating(record.get("ratingImdb")),
        countries=read_names(record.get("countries"), "country"),
        genres=read_names(record.get("genres"), "genre"),
        web_url=read_web_address(record.get("webUrl")),
    )


def read_page(record: Mapping[str, Any], number: int) -> FilmPage:
    """Return page `number` of a search. Entries that are not films are left out."""
    entries = record.get("films")
    entries = entries if isinstance(entries, list) else []
    films = tuple(film for film in map(read_film, entries) if film is not None)
    pages = read_whole_number(record.get("pagesCount"))
    # Where the count of pages can't be understood, a full page is the sign that another one follows.
    more = len(entries) >= PAGE_SIZE if pages is None else number < pages
    return FilmPage(films, number + 1 if more and films else None)


def read_text(value: object) -> str | None:
    """Return text that is not blank, without what PostgreSQL can't store."""
    if not isinstance(value, str):
        return None
    clean = value.replace("\0", "").encode(errors="replace").decode().strip()
    return clean if clean and clean.lower() != "null" else None


def read_whole_number(value: object) -> int | None:
    """Return a whole number from 0, also one that is written as 7.0 or "7"."""
    if isinstance(value, str):
        value = int(value) if IDENTIFIER.fullmatch(value.strip()) else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_ID else None


def read_id(value: object) -> int | None:
    """Return an id, which is a whole number from 1."""
    return read_whole_number(value) or None


def read_year(value: object) -> int | None:
    """Return a year; of a series ("2019-2021") the year in which it began."""
    if isinstance(value, str):
        match = YEAR.match(value.strip())
        value = int(match[1]) if match else None
    year = read_whole_number(value)
    return year if year in YEARS else None


def read_length(value: object) -> int | None:
    """Return minutes, from a number of them or from "hours:minutes"."""
    minutes = read_whole_number(value)
    if isinstance(value, str):
        bare = value.strip()
        clock = CLOCK_LENGTH.fullmatch(bare)
        minutes = int(clock[1]) * 60 + int(clock[2]) if clock else None
        if MINUTES.fullmatch(bare):
            minutes = int(bare)
    return minutes if minutes and minutes <= MAX_LENGTH else None


def read_rating(value: object) -> float | None:
    """Return a rating of 0 to 10. "99%" is none: that is how many look forward to the film."""
    if isinstance(value, str) and DECIMAL.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= MAX_RATING else None


def read_first_rating(*values: object) -> float | None:
    """Return the first value that is a rating."""
    return next((rating for rating in map(read_rating, values) if rating is not None), None)


def read_web_address(value: object) -> str | None:
    """Return an address that is safe to link to."""
    address = read_text(value)
    return address if address and address.lower().startswith(("https://", "http://")) else None


def read_names(value: object, key: str) -> tuple[str, ...]:
    """Return the texts of a list of {key: text}, each once."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    names = (read_text(entry.get(key)) if isinstance(entry, Mapping) else read_text(entry) for entry in value)
    return tuple(dict.fromkeys(name for name in names if name is not None))
