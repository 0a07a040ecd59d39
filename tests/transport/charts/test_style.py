"""The colours of the charts can be told apart by everybody."""

import pytest

from transport.charts.style import DARK, LIGHT, chart_style, page_style


def luminance(colour: str) -> float:
    """Of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_and_shapes_stand_out_from_the_paper(palette: dict[str, str]) -> None:
    for name in ("ink", "dim"):
        assert contrast(palette[name], palette["paper"]) >= 4.5
    for name in ("mark", "other"):
        assert contrast(palette[name], palette["paper"]) >= 3


def test_the_page_and_the_picture_have_the_same_colours_in_both_themes() -> None:
    for palette in (LIGHT, DARK):
        for name, colour in palette.items():
            assert colour in chart_style()
            assert name == "paper" or colour in page_style()
