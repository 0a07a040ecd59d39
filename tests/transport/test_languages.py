import pytest

from transport.languages import preferred_language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ru", "ru"),
        ("RU-ru,en;q=0.5", "ru"),
        ("en, ru;q=0.9", "en"),
        ("de;q=1, ru ; q=0.3, en;q=0.2", "ru"),
        ("ru;q=0", "en"),
        ("ru;q=x, en;q=0.1", "en"),
        ("ru;q=nan", "en"),
        ("ru;q=1e9, en;q=0.1", "en"),
        ("*", "en"),
        (",;,=;", "en"),
        ("rumba", "en"),
    ],
)
def test_russian_is_preferred_where_it_is_ranked_above_english(header: str, language: str) -> None:
    assert preferred_language(header) == language
