"""Forty invented films, in the forms of the Kinopoisk API."""

from typing import Any

# Name in Russian, name in English, year, minutes, type, rating, rating of IMDb, country, genres.
# None is unknown, as many values in the real catalogue are.
ROWS: tuple[tuple[Any, ...], ...] = (
    ("Последний маяк", "The Last Lighthouse", 1987, 104, "FILM", 8.1, 7.9, "Исландия", "драма"),
    ("Сети на рассвете", "Nets at Dawn", 1994, 97, "FILM", 7.4, 7.2, "Норвегия", "драма"),
    ("Тихий невод", "The Quiet Trawl", 2003, 118, "FILM", 7.8, None, "Россия", "драма, детектив"),
    ("Капитан без моря", "Captain without a Sea", 2011, 92, "FILM", 6.9, 7.0, "Польша", "комедия"),
    ("Лосось возвращается", "The Salmon Returns", 1979, 81, "FILM", 8.4, 8.0, "Канада", "приключения"),
    ("Соль", "Salt Road", 2016, 133, "FILM", 7.1, 6.8, "Чили", "драма"),
    ("Порт Надежда", "Port Hope", 2019, 50, "TV_SERIES", 8.2, 7.7, "Россия", "детектив"),
    ("Икра и бархат", "Caviar and Velvet", 1968, 109, "FILM", 7.0, 7.3, "Франция", "комедия"),
    ("Полуночный причал", "Midnight Pier", 1999, 111, "FILM", 6.4, 6.1, "США", "триллер"),
    ("Ледокол «Ольга»", "Icebreaker Olga", 1975, 95, "FILM", 7.7, None, "СССР", "драма"),
    ("Девять волн", "Nine Waves", 2021, 126, "FILM", 7.9, 7.6, "Япония", "драма, фэнтези"),
    ("Чайки не спят", "Gulls Never Sleep", 2008, 88, "FILM", 5.9, 5.7, "Германия", "комедия"),
    ("Рыбный рынок", "The Fish Market", 1958, 76, "FILM", 8.0, 7.8, "Италия", "драма"),
    ("Море внутри комода", "A Sea in the Drawer", 2014, 71, "FILM", 7.2, None, "Россия", "мультфильм"),
    ("Двадцать узлов", "Twenty Knots", 2018, 101, "FILM", 6.6, 6.5, "США", "боевик"),
    ("Компас врёт", "The Compass Lies", 2005, 99, "FILM", 7.3, 7.1, "Великобритания", "детектив"),
    ("Бабушкин баркас", "Grandmother's Barge", 1983, 84, "FILM", 8.3, None, "СССР", "комедия"),
    ("Устрица", "Oyster", 2020, 94, "FILM", 6.8, 6.9, "Франция", "мелодрама"),
    ("Штиль", "Dead Calm Street", 1991, 107, "FILM", 6.2, 6.4, "Австралия", "триллер"),
    ("Кит на крыше", "A Whale on the Roof", 2017, 78, "FILM", 7.5, 7.4, "Норвегия", "семейный"),
    ("Янтарная бухта", "Amber Bay", 2022, 45, "MINI_SERIES", 8.0, 7.5, "Латвия", "драма"),
    ("Письма с буксира", "Letters from a Tug", 1972, 90, "FILM", 7.6, None, "СССР", "мелодрама"),
    ("Красный прилив", "Red Tide Rising", 2013, 115, "FILM", 5.8, 5.5, "США", "ужасы"),
    ("Смотритель шлюза", "The Lock Keeper", 2009, 103, "FILM", 7.8, 7.6, "Нидерланды", "драма"),
    ("Две селёдки", "Two Herrings", 1964, 69, "FILM", 7.9, 7.4, "Дания", "комедия"),
    ("Атлас течений", "Atlas of Currents", 2023, 128, "FILM", None, None, "Португалия", "документальный"),
    ("Глубина десять", "Depth Ten", 2001, 112, "FILM", 6.7, 6.6, "Россия", "боевик, триллер"),
    ("Мидии по пятницам", "Mussels on Fridays", 2015, 96, "FILM", 7.0, 7.1, "Бельгия", "комедия"),
    ("Зимний улов", "The Winter Catch", 1996, 105, "FILM", 7.7, 7.5, "Финляндия", "драма"),
    ("Русалка из депо", "The Depot Mermaid", 2012, 87, "FILM", 7.1, None, "Россия", "фэнтези"),
    ("Мыс Терпения", "Cape Patience", 1981, 121, "FILM", 8.2, 7.9, "СССР", "приключения"),
    ("Остров по расписанию", "An Island on Schedule", 2010, 93, "FILM", 6.5, 6.7, "Греция", "мелодрама"),
    ("Третий якорь", "The Third Anchor", 2006, 52, "TV_SERIES", 7.4, 7.0, "Россия", "детектив"),
    ("Крабовая палочка", "Crab Stick", 2007, 80, "FILM", 5.2, 5.0, "Россия", "комедия"),
    ("Отлив", "Ebb", 2024, 98, "FILM", None, None, "Ирландия", "драма"),
    ("Шторм по заявке", "Storm on Request", 1989, 86, "FILM", 7.6, None, "СССР", "комедия"),
    ("Голоса трюма", "Voices of the Hold", 2000, 110, "FILM", 6.3, 6.2, "Испания", "ужасы"),
    ("Сын лоцмана", "The Pilot's Son", 1961, 91, "FILM", 8.1, 7.7, "СССР", "драма"),
    ("Ночь в рыбацкой", "Night at the Fishery", 2002, 89, "FILM", 6.9, 6.8, "Польша", "детектив"),
    ("Последний улов", "The Last Catch", 2018, 116, "FILM", 7.9, 7.8, "Исландия", "драма"),
)
FIRST_ID = 9_000_001


def details(number: int) -> dict[str, Any]:
    """Return a film in the form of the details route, where unknown values are null."""
    name_ru, name_en, year, minutes, kind, rating, imdb, country, genres = ROWS[number]
    film_id = FIRST_ID + number
    return {
        "kinopoiskId": film_id,
        "imdbId": f"tt99{number:05}" if imdb else None,
        "nameRu": name_ru,
        "nameEn": None,
        "nameOriginal": name_en,
        "posterUrl": f"https://films.invalid/posters/{film_id}.jpg",
        "ratingKinopoisk": rating,
        "ratingImdb": imdb,
        "webUrl": f"https://films.invalid/film/{film_id}/",
        "year": year,
        "filmLength": minutes,
        "description": f"«{name_ru}»: выдуманный фильм для пробы.",
        "type": kind,
        "countries": [{"country": country}],
        "genres": [{"genre": genre} for genre in genres.split(", ")],
    }


def summary(number: int) -> dict[str, Any]:
    """Return a film in the form of the search, with other names and types; unknown is absent or "null"."""
    film = details(number)
    minutes = film["filmLength"]
    return {
        "filmId": film["kinopoiskId"],
        "nameRu": film["nameRu"],
        "nameEn": film["nameOriginal"],
        "type": film["type"],
        "year": str(film["year"]),
        "description": film["description"],
        "filmLength": f"{minutes // 60:02}:{minutes % 60:02}",
        "countries": film["countries"],
        "genres": film["genres"],
        "rating": str(film["ratingKinopoisk"]) if film["ratingKinopoisk"] else "null",
        "ratingVoteCount": 1000 + number,
        "posterUrl": film["posterUrl"],
        "posterUrlPreview": film["posterUrl"],
    }
