"""A report's rows as a ranked bar chart: an SVG that stands alone, light or dark as its reader prefers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

WIDTH, ROW_HEIGHT, TOP = 720, 30, 92
LABEL_WIDTH, VALUE_WIDTH = 200, 90
TITLE_CHARACTERS, LABEL_CHARACTERS = 80, 26

NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

# What of each report's rows is a bar's label and its length.
AXES = {
    1: ("name", "requests"),
    2: ("name", "requests"),
    3: ("part_of_day", "views"),
    4: ("hour", "requests"),
    5: ("category", "carts"),
    6: ("carts", "unpaid"),
    7: ("purchases", "users"),
}
STYLE = (
    "svg{font:14px system-ui,sans-serif;background:#fff}text{fill:#1b1f24}.dim{fill:#59636e}"
    ".bar{fill:#0969da}.answer{font-size:24px;font-weight:600}"
    "@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.dim{fill:#9198a1}"
    ".bar{fill:#4493f8}}"
)


def chart(result: Mapping[str, Any]) -> str:
    """The chart of a report's response body."""
    bars = bars_of(result["report"], result["rows"])
    longest = max((value for _, value in bars), default=0)
    height = TOP + ROW_HEIGHT * max(len(bars), 1) + 12
    title = str(result["title"])
    answer = shorten("no data" if result["answer"] is None else str(result["answer"]), TITLE_CHARACTERS)
    lines = [bar(index, label, value, longest) for index, (label, value) in enumerate(bars)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label={quoteattr(f"{title} {answer}")}>'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f'<text x="16" y="30" class="dim">{escape(title)}</text>'
        f'<text x="16" y="64" class="answer">{escape(answer)}</text>'
        f"{''.join(lines)}</svg>"
    )


def bars_of(report: int, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    if report == 6:  # noqa: PLR2004 - one row of counts, not one a bar
        return [(name, row[name]) for row in rows for name in ("carts", "paid", "unpaid")]
    label, length = AXES[report]
    return [(str(row[label]), row.get(length, row.get("visitors", 0))) for row in rows]


def bar(index: int, label: str, value: int, longest: int) -> str:
    y = TOP + index * ROW_HEIGHT
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 32
    width = round(room * value / longest, 1) if longest else 0
    return (
        f'<text x="16" y="{y + 15}">{escape(shorten(label, LABEL_CHARACTERS))}</text>'
        f'<rect class="bar" x="{LABEL_WIDTH}" y="{y}" width="{width}" height="20" rx="3"/>'
        f'<text x="{LABEL_WIDTH + width + 8}" y="{y + 15}">{value:,}</text>'
    )


def shorten(text: str, characters: int) -> str:
    """Text from URLs, at most so long, without the characters that XML does not take."""
    text = NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= characters else text[: characters - 1] + "\N{HORIZONTAL ELLIPSIS}"
