"""Draws ranked bars: each as long as its share of the longest, its label above, its value at the right."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from transport.charts.drawing import BAR_ROW, INNER, MARGIN, WIDTH, number, rectangle, shorten, text

LABEL_CHARACTERS = 36
BAR_HEIGHT = 9


@dataclass(frozen=True, slots=True)
class Bar:
    """`meaning` is the label's data attribute, such as `{"country": "JP"}`; `note` is left of the value."""

    label: str
    value: int
    note: str = ""
    meaning: dict[str, str | float] = field(default_factory=dict)
    note_meaning: dict[str, str | float] = field(default_factory=dict)


def ranked_bars(bars: Sequence[Bar], top: float) -> str:
    longest = max((bar.value for bar in bars), default=0)
    return "".join(
        ranked_bar(bar, top + index * BAR_ROW, longest, first=index == 0) for index, bar in enumerate(bars)
    )


def ranked_bar(bar: Bar, y: float, longest: int, *, first: bool) -> str:
    length = INNER * bar.value / longest if longest else 0.0
    value_width = 10 * len(f"{bar.value:,}") + 14
    note = (
        text(WIDTH - MARGIN - value_width, y + 14, bar.note, "dim small end", **bar.note_meaning)
        if bar.note
        else ""
    )
    return (
        text(MARGIN, y + 14, shorten(bar.label, LABEL_CHARACTERS), "strong" if first else "", **bar.meaning)
        + note
        + number(WIDTH - MARGIN, y + 14, bar.value, "end strong" if first else "end")
        + rectangle(MARGIN, y + 21, INNER, BAR_HEIGHT, "track")
        + rectangle(MARGIN, y + 21, length, BAR_HEIGHT, "mark" if first else "other")
    )
