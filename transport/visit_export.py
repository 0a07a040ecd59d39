"""Writes columns of visits as NDJSON or CSV: what all visits of a page have in common is written once.

A visit is pieces: its id and user, its page's URL, its time, and the rest. This is one piece where no visit
has bytes, a referrer or an agent, and four else. A test holds the text to what the schema of a visit, and
`csv_lines`, make of each visit by itself.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from api.times import rfc3339
from calendar_days import instant
from db.part_files import NO_BYTES
from db.read_threads import Waiting, run_while_awaited
from service.columns.export_windows import VisitColumns
from transport.csv_text import csv_lines

Bytes = npt.NDArray[np.uint8]

HEAD = ("id", "user_id", "page_url", "timestamp")
TAIL = ("country", "source", "kind", "category", "product", "method", "status")
AGENT = ("browser", "os", "device", "traffic")
FIELDS = (*HEAD, *TAIL, "bytes", "referrer", *AGENT)
HEX = np.frombuffer(b"".join(f"{byte:02x}".encode() for byte in range(256)), np.uint8).reshape(256, 2)
DASHES = (8, 13, 18, 23)
LETTERS = np.array([place for place in range(36) if place not in DASHES])
SECONDS = 86_400
DAY, SECOND = 86_400_000_000, 1_000_000  # microseconds
CLOCK = np.frombuffer(
    b"".join(f"T{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}".encode() for at in range(SECONDS)), np.uint8
).reshape(SECONDS, 9)
LINE_END = b"\r\n"
CELL_END = b",\r\n"  # of a line with one more cell, which is empty
FRACTION = 7  # characters of .000001


@dataclass(frozen=True, slots=True)
class Pieces:
    """How the pieces behind the time are written: of TAIL's values, no bytes, a referrer, AGENT's values."""

    tail: Callable[..., bytes]
    no_bytes: bytes
    referrer: Callable[[str | None], bytes]
    agent: Callable[..., bytes]


async def export_chunks(
    batches: AsyncGenerator[VisitColumns], *, form: str, raw: bool
) -> AsyncGenerator[bytes]:
    """Write batches of visits, each as a chunk, in threads. CSV begins with a header."""
    write = partial(csv_text, raw=raw) if form == "csv" else ndjson_text
    async with aclosing(batches):
        first = await anext(batches, None)
        header = csv_lines([FIELDS], raw=raw).encode() if form == "csv" else b""
        yield header + (b"" if first is None else await run_while_awaited(partial(written, write, first)))
        async for columns in batches:
            yield await run_while_awaited(partial(written, write, columns))


def written(write: Callable[[VisitColumns], bytes], columns: VisitColumns, _: Waiting) -> bytes:
    return write(columns)


def ndjson_text(columns: VisitColumns) -> bytes:
    """Write visits as NDJSON: an object a line."""
    urls = [b',"page_url":' + orjson.dumps(url) + b',"timestamp":"' for url in columns.urls]
    pieces = Pieces(
        tail=lambda *values: b'Z",' + orjson.dumps(dict(zip(TAIL, values, strict=True)))[1:-1] + b',"bytes":',
        no_bytes=b"null",
        referrer=lambda referrer: b',"referrer":' + orjson.dumps(referrer) + b",",
        agent=lambda *values: orjson.dumps(dict(zip(AGENT, values, strict=True)))[1:] + b"\n",
    )
    return join(columns, (b'{"id":"', b'","user_id":', b"null"), urls, pieces)


def csv_text(columns: VisitColumns, *, raw: bool) -> bytes:
    """Write visits as CSV, without a header. `raw` leaves formulas as they are (transport/csv_text.py)."""

    def cells(*values: str | int | None) -> bytes:
        return csv_lines([values], raw=raw).encode().removesuffix(LINE_END)

    pieces = Pieces(
        tail=lambda *values: b"Z," + cells(*values) + b",",
        no_bytes=b"",
        referrer=lambda referrer: b"," + cells(referrer, "").removesuffix(b",") + b",",
        agent=lambda *values: cells(*values) + LINE_END,
    )
    urls = [b"," + cell + b"," for cell in csv_cells(columns.urls, raw=raw)]
    return join(columns, (b"", b",", b""), urls, pieces)


def csv_cells(texts: Sequence[str], *, raw: bool) -> list[bytes]:
    """Write each text as a cell of CSV."""
    lines = csv_lines(((text, "") for text in texts), raw=raw).encode()
    cells = lines.removesuffix(CELL_END).split(CELL_END)
    if len(cells) == len(texts):
        return cells
    # A text holds the end of a line.
    return [csv_lines([[text, ""]], raw=raw).encode().removesuffix(CELL_END) for text in texts]


def join(
    columns: VisitColumns,
    around_user: tuple[bytes, bytes, bytes],
    urls: Sequence[bytes],
    pieces: Pieces,
) -> bytes:
    """Write the visits piece by piece.

    :param around_user: what stands before an id, between it and the user, and for no user
    """
    before_id, before_user, no_user = around_user
    heads = id_texts(columns.ids, before_id, before_user + no_user)
    for place in np.flatnonzero(columns.has_user).tolist():
        bare = heads[place][: len(heads[place]) - len(no_user)]
        heads[place] = bare + str(columns.user_id[place]).encode()
    url_pieces = map(urls.__getitem__, columns.url.tolist())
    ends = end_pieces(columns, pieces)
    return b"".join(
        chain.from_iterable(zip(heads, url_pieces, time_texts(columns.occurred), *ends, strict=True))
    )


def end_pieces(columns: VisitColumns, pieces: Pieces) -> list[Iterable[bytes]]:
    """Write what stands behind the time of each visit."""
    shape = (len(columns.countries), len(columns.tails), len(columns.requests))
    triples = np.ravel_multi_index((columns.country, columns.tail, columns.request), shape)
    keys, inverse = np.unique(triples, return_inverse=True)
    tails = [
        pieces.tail(columns.countries[country], *columns.tails[tail], *columns.requests[request])
        for country, tail, request in zip(
            *(each.tolist() for each in np.unravel_index(keys, shape)), strict=True
        )
    ]
    referrers = [pieces.referrer(each) for each in columns.referrers]
    agents = [pieces.agent(*each) for each in columns.agents]
    if not (columns.referrer.any() or columns.agent.any() or (columns.bytes != NO_BYTES).any()):
        nothing = pieces.no_bytes + referrers[0] + agents[0]
        tails = [tail + nothing for tail in tails]
        return [map(tails.__getitem__, inverse.reshape(-1).tolist())]
    sizes = columns.bytes.tolist()
    return [
        map(tails.__getitem__, inverse.reshape(-1).tolist()),
        [pieces.no_bytes if size == NO_BYTES else b"%d" % size for size in sizes],
        map(referrers.__getitem__, columns.referrer.tolist()),
        map(agents.__getitem__, columns.agent.tolist()),
    ]


def id_texts(ids: npt.NDArray[Any], before: bytes, after: bytes) -> list[bytes]:
    """Write UUIDs, with the same before and after each."""
    digits = HEX[np.ascontiguousarray(ids, ">u8").view(np.uint8).reshape(len(ids), 16)].reshape(len(ids), 32)
    text = np.empty((len(ids), len(before) + 36 + len(after)), np.uint8)
    text[:] = np.frombuffer(before + b"-" * 36 + after, np.uint8)
    text[:, LETTERS + len(before)] = digits
    return list_of(text)


def time_texts(occurred: npt.NDArray[np.int64]) -> list[bytes]:
    """Write instants in UTC as `rfc3339` does, without its Z."""
    days, place = np.unique(occurred // DAY, return_inverse=True)
    dates = b"".join(rfc3339(instant(int(day) * DAY))[:10].encode() for day in days)
    text = np.zeros((len(occurred), 19 + FRACTION), np.uint8)
    text[:, :10] = np.frombuffer(dates, np.uint8).reshape(-1, 10)[place.reshape(-1)]
    text[:, 10:19] = CLOCK[occurred % DAY // SECOND]
    for row in np.flatnonzero(occurred % SECOND).tolist():
        text[row, 19:] = np.frombuffer(f".{int(occurred[row]) % SECOND:06}".encode(), np.uint8)
    return list_of(text)


def list_of(text: Bytes) -> list[bytes]:
    """Return rows of characters as texts, without the zeros at their ends."""
    texts: list[bytes] = text.view(f"S{text.shape[1]}").reshape(-1).tolist()
    return texts
