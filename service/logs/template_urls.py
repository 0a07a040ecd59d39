"""Reads the URLs of cart, pay and success pages, hardly two of which are equal: all of a kind at once.

Only those are read that are written as the shop writes them, up to numbers; others are for the grammar.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from service.logs.chunk_text import ChunkText, Places, word
from service.logs.line_columns import Int64s
from service.logs.shop_format import Kind

MAX_HOST_BYTES = 64
NUMBER = rb"[1-9][0-9]{0,17}"  # only as many digits as always fit into 64 bits
TO_SPACES = bytes(byte if byte in b"0123456789" else ord(" ") for byte in range(256))


class Template(NamedTuple):
    """How the shop writes the URLs of a kind, behind the host."""

    kind: Kind
    begin: np.uint64
    lines: re.Pattern[bytes]
    names: tuple[str, ...]


def template(kind: Kind, url: bytes, *names: str) -> Template:
    """Make a template of a URL with an N for each number."""
    line = re.escape(url).replace(b"N", NUMBER) + rb"\n"
    return Template(kind, word(url[:8]), re.compile(rb"(?:" + line + rb")*+"), names)


TEMPLATES = (
    template("cart", b"/cart?goods_id=N&amount=N&cart_id=N", "goods_id", "amount", "cart_id"),
    template("pay", b"/pay?user_id=N&cart_id=N", "user_id", "cart_id"),
    template("success", b"/success_pay_N/", "cart_id"),
)


class TemplatePages(NamedTuple):
    """URLs written by a template: which of all they are, and a column for each of their numbers."""

    kind: Kind
    rows: Places
    numbers: dict[str, Int64s]


def read_templates(text: ChunkText, starts: Places, ends: Places, host: bytes) -> Iterator[TemplatePages]:
    """Read those of the URLs that are the host and a template."""
    if len(host) > MAX_HOST_BYTES or not len(starts):
        return
    [begins] = text.words(starts + len(host))
    for kind, begin, lines, names in TEMPLATES:
        rows = np.flatnonzero(begins == begin)
        rows = rows[text.holds(starts[rows], host)]
        tails = text.slices(starts[rows] + len(host), ends[rows])
        joined = b"\n".join([*tails, b""])
        if not lines.fullmatch(joined):
            is_good = [lines.fullmatch(tail + b"\n") is not None for tail in tails]
            rows = rows[np.array(is_good, np.bool_)]
            joined = b"".join([tail + b"\n" for tail, good in zip(tails, is_good, strict=True) if good])
        values = np.fromstring(joined.translate(TO_SPACES), np.int64, sep=" ").reshape(-1, len(names))
        yield TemplatePages(kind, rows, dict(zip(names, values.T, strict=True)))
