"""Draws a report as an SVG file, light or dark as its reader prefers.

The report itself is in the SVG's metadata, so that the dashboard has picture and numbers of the same moment.
"""

import textwrap
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from transport.charts.drawing import MARGIN, WIDTH, escape_text, replace_forbidden, shorten, text
from transport.charts.plots import PLOTS, Plot
from transport.charts.style import chart_style

TITLE_LINE = 52  # characters
ANSWER_CHARACTERS = 28
LINE = 19
EMPTY_HEIGHT = 24


def chart(result: Mapping[str, Any]) -> str:
    """Draw the chart of a report's response body."""
    title, answer = replace_forbidden(str(result["title"])), answer_of(result)
    lines = textwrap.wrap(title, TITLE_LINE)
    top = 20 + LINE * len(lines) + 40
    head = "".join(
        text(MARGIN, 28 + LINE * index, line, "dim", part="title") for index, line in enumerate(lines)
    )
    head += text(MARGIN, top - 14, answer, "answer", part="answer")
    plot = PLOTS[result["report"]](result, top + 8) if result["rows"] else Plot("", EMPTY_HEIGHT)
    height = top + 8 + plot.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height:g}" '
        f'width="{WIDTH}" height="{height:g}" role="img" data-plot="{top}" '
        f"aria-label={quoteattr(f'{title} {answer}')}>"
        f"<title>{escape(title)}</title><style>{chart_style()}</style>"
        f"<metadata>{escape_text(orjson.dumps(result).decode())}</metadata>"
        f"<g>{head}</g>{plot.svg}</svg>"
    )


def answer_of(result: Mapping[str, Any]) -> str:
    """Write the answer in large: a number with thousands separators, or a name that is cut to fit."""
    answer = result["answer"]
    if answer is None:
        return "no data"
    content = f"{answer:,}" if isinstance(answer, int) else str(answer)
    return replace_forbidden(shorten(content, ANSWER_CHARACTERS))
