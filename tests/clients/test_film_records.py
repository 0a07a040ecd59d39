from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.film_records import Film, read_film, read_page


@pytest.mark.parametrize(
    ("record", "field", "expected"),
    [
        ({"year": "1999"}, "year", 1999),
        ({"year": 1999}, "year", 1999),
        ({"year": "null"}, "year", None),
        ({"year": "2019-2021"}, "year", 2019),
        ({"year": "20190"}, "year", None),
        ({"year": 0}, "year", None),
        ({"year": True}, "year", None),
        ({"filmLength": "01:28"}, "length_minutes", 88),
        ({"filmLength": 88}, "length_minutes", 88),
        ({"filmLength": "88"}, "length_minutes", 88),
        ({"filmLength": "01:75"}, "length_minutes", None),
        ({"filmLength": "0:00"}, "length_minutes", None),
        ({"filmLength": -5}, "length_minutes", None),
        ({"rating": "8.8"}, "rating_kinopoisk", 8.8),
        ({"rating": "99%"}, "rating_kinopoisk", None),
        ({"rating": "null"}, "rating_kinopoisk", None),
        ({"rating": 99}, "rating_kinopoisk", None),
        ({"ratingKinopoisk": None, "rating": "7"}, "rating_kinopoisk", 7.0),
        ({"ratingKinopoisk": 7.5, "rating": "7"}, "rating_kinopoisk", 7.5),
        ({"ratingImdb": float("nan")}, "rating_imdb", None),
        ({"nameRu": "null"}, "name_ru", None),
        ({"nameRu": "  "}, "name_ru", None),
        ({"nameRu": 5}, "name_ru", None),
        ({"nameRu": " a\0b\ud800 "}, "name_ru", "ab?"),
        ({"webUrl": "javascript:alert(1)"}, "web_url", None),
        ({"posterUrl": "https://a.example/1.jpg"}, "poster_url", "https://a.example/1.jpg"),
        ({"countries": [{"country": "A"}, {"country": None}, {}, 3, {"country": "A"}]}, "countries", ("A",)),
        ({"genres": "drama"}, "genres", ()),
        ({"genres": None}, "genres", ()),
        ({"filmId": "12"}, "kinopoisk_id", 12),
        ({"kinopoiskId": 7.0}, "kinopoisk_id", 7),
    ],
)
def test_a_field_is_understood_or_unknown(record: dict[str, Any], field: str, expected: object) -> None:
    film = read_film({"kinopoiskId": 1, **record} if "filmId" not in record else record)
    assert film is not None
    assert getattr(film, field) == expected


@pytest.mark.parametrize(
    "record", [{}, {"filmId": 0}, {"filmId": None}, {"kinopoiskId": 2**63}, [], None, "x"]
)
def test_what_has_no_id_is_no_film(record: object) -> None:
    assert read_film(record) is None


@pytest.mark.parametrize(
    ("count", "films", "number", "next_page"),
    [
        (0, 1, 1, None),
        (3, 20, 1, 2),
        (3, 20, 3, None),
        ("3", 20, 2, 3),
        (None, 20, 1, 2),
        ("many", 19, 1, None),
        (5, 0, 1, None),
    ],
)
def test_a_page_tells_whether_another_follows(
    count: object, films: int, number: int, next_page: int | None
) -> None:
    record = {"pagesCount": count, "films": [{"filmId": index + 1} for index in range(films)]}
    page = read_page(record, number)
    assert (len(page.films), page.next_page) == (films, next_page)


def test_entries_that_are_no_films_are_left_out() -> None:
    page = read_page({"pagesCount": 0, "films": [None, {"filmId": 5}, {"nameRu": "x"}, 7]}, 1)
    assert page.films == (Film(5),)
    assert read_page({}, 1).films == read_page({"films": "x"}, 1).films == ()


NAMES = "filmId nameRu year filmLength rating ratingImdb countries genres posterUrl type description"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["country", "genre", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES.split()), JSON))
def test_no_answer_breaks_the_mapping(record: dict[str, Any]) -> None:
    film = read_film({**record, "kinopoiskId": 1})
    assert film is not None
    for name in Film.__slots__:
        value = getattr(film, name)
        texts = value if isinstance(value, tuple) else [value]
        assert all("\0" not in text and text.encode() for text in texts if isinstance(text, str))
    assert read_page({"films": [record, film], "pagesCount": record.get("year")}, 1) is not None
