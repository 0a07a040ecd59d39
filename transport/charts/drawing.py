"""Draws pieces of SVG. Names of the shop become text, whatever characters they hold.

Words, numbers, countries and times have their meaning in a data attribute, from which the dashboard writes
them in the reader's language.
"""

import re
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from calendar_days import time_zone

WIDTH = 480
MARGIN = 16
INNER = WIDTH - 2 * MARGIN
BAR_ROW = 40  # height of a bar with its label above it

NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def text(x: float, y: float, content: str, classes: str = "", **data: str | float) -> str:
    """Draw text at (x, y), with `data` as its data attributes."""
    head = attributes(x=x, y=y, **{"class": classes}) + data_attributes(data)
    return f"<text{head}>{escape_text(content)}</text>"


def number(x: float, y: float, value: int, classes: str = "") -> str:
    return text(x, y, f"{value:,}", classes, number=value)


def word(x: float, y: float, name: str, classes: str = "") -> str:
    """Draw a word that the dashboard can translate, such as `unpaid`."""
    return text(x, y, name, classes, word=name)


def share(x: float, y: float, value: float, classes: str = "") -> str:
    """Draw a share, from 0 to 1, in per cent."""
    return text(x, y, percent(value), classes, share=value)


def percent(value: float) -> str:
    return f"{value * 100:.1f}\N{NARROW NO-BREAK SPACE}%"


def rectangle(x: float, y: float, width: float, height: float, classes: str) -> str:
    return f"<rect{attributes(x=x, y=y, width=width, height=height, rx=3, **{'class': classes})}/>"


def path(d: str, classes: str, title: str = "", **more: str | float) -> str:
    inner = f"<title>{escape_text(title)}</title>" if title else ""
    return f"<path{attributes(d=d, **{'class': classes}, **more)}>{inner}</path>"


def attributes(**values: str | float) -> str:
    """Write attributes, without those that are empty. An underscore in a name becomes a dash."""
    return "".join(
        f" {name.replace('_', '-')}={quoteattr(plain(value))}"
        for name, value in values.items()
        if value != ""
    )


def data_attributes(data: dict[str, str | float]) -> str:
    return "".join(
        f" data-{name}={quoteattr(replace_forbidden(plain(value)))}" for name, value in data.items()
    )


def plain(value: str | float) -> str:
    """Write a value; a number with the four decimals that are enough for a picture of this size."""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)


def escape_text(content: str) -> str:
    """Escape text for XML."""
    return escape(replace_forbidden(content))


def replace_forbidden(content: str) -> str:
    """Replace the characters that XML does not allow."""
    return NO_XML.sub("\N{REPLACEMENT CHARACTER}", content)


def shorten(content: str, characters: int) -> str:
    return content if len(content) <= characters else content[: characters - 1] + "\N{HORIZONTAL ELLIPSIS}"


def local_time(instant: str, zone: str) -> datetime:
    """Convert an RFC 3339 time to a zone's local time."""
    return datetime.fromisoformat(instant).astimezone(time_zone(zone))
