"""Pieces of SVG. Whatever the shop's names hold, they become text and nothing else.

Words, numbers, countries and times carry what they mean in a data attribute: the dashboard writes them
anew in the reader's language.
"""

import re
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

WIDTH = 480
MARGIN = 16
INNER = WIDTH - 2 * MARGIN
BAR_ROW = 40  # height of a bar with its label above it

NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def text(x: float, y: float, content: str, classes: str = "", **data: str | float) -> str:
    return f"<text{attributes(x=x, y=y, **{'class': classes})}{data_attributes(data)}>{clean(content)}</text>"


def number(x: float, y: float, value: int, classes: str = "") -> str:
    return text(x, y, f"{value:,}", classes, number=value)


def word(x: float, y: float, said: str, classes: str = "") -> str:
    """One of our own words, such as `unpaid`."""
    return text(x, y, said, classes, word=said)


def share(x: float, y: float, value: float, classes: str = "") -> str:
    """A part of 1 as per cent."""
    return text(x, y, percent(value), classes, share=value)


def percent(value: float) -> str:
    return f"{value * 100:.1f}\N{NARROW NO-BREAK SPACE}%"


def rectangle(x: float, y: float, width: float, height: float, classes: str) -> str:
    return f"<rect{attributes(x=x, y=y, width=width, height=height, rx=3, **{'class': classes})}/>"


def path(d: str, classes: str, title: str = "", **more: str | float) -> str:
    inner = f"<title>{clean(title)}</title>" if title else ""
    return f"<path{attributes(d=d, **{'class': classes}, **more)}>{inner}</path>"


def attributes(**given: str | float) -> str:
    """What is empty is left out; names with underscores are written with dashes."""
    return "".join(
        f" {name.replace('_', '-')}={quoteattr(plain(value))}" for name, value in given.items() if value != ""
    )


def data_attributes(data: dict[str, str | float]) -> str:
    return "".join(f" data-{name}={quoteattr(clean_raw(plain(value)))}" for name, value in data.items())


def plain(value: str | float) -> str:
    """Numbers as short as a picture of this size needs them."""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)


def clean(content: str) -> str:
    return escape(clean_raw(content))


def clean_raw(content: str) -> str:
    """Without the characters that XML does not take."""
    return NO_XML.sub("\N{REPLACEMENT CHARACTER}", content)


def shorten(content: str, characters: int) -> str:
    return content if len(content) <= characters else content[: characters - 1] + "\N{HORIZONTAL ELLIPSIS}"


def local_time(instant: str, zone: str) -> datetime:
    """An RFC 3339 time on the clocks of a zone."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
