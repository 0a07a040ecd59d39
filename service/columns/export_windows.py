"""Visits of a window of time by column: what those of parts and live ones have in common stands once."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from calendar_days import microseconds
from db.kinds import KIND_NAMES, METHOD_NAMES
from db.part_files import NO_BYTES, Array, PartColumns
from db.queries.column_reads import PageName
from db.read_threads import Waiting
from service.columns.agents import AgentTail
from service.columns.open_parts import OpenPart
from service.columns.snapshot import Snapshot
from service.columns.templates import CART, PAY

T = TypeVar("T")

Tail = tuple[str, str, str | None, str | None]  # source, kind, category, product
RequestTail = tuple[str | None, int | None]  # method, status
NO_REQUEST: RequestTail = (None, None)
NO_AGENT: AgentTail = (None, None, None, "human")
INDEXES = ("url", "country", "tail", "request", "referrer", "agent")  # columns of places in lists


@dataclass(slots=True)
class VisitColumns:
    """Visits, newest first, by column.

    :param ids: a UUID each, as two words
    :param occurred: microseconds since 1970
    :param user_id: where `has_user` says so
    :param urls: of pages, and which of them each visit has in `url`; likewise countries, tails, requests,
        referrers and agents, the first of which stands for none
    :param bytes: NO_BYTES for none
    """

    ids: Array
    occurred: Array
    user_id: Array
    has_user: Array
    urls: list[str]
    url: Array
    countries: list[str | None]
    country: Array
    tails: list[Tail]
    tail: Array
    requests: list[RequestTail]
    request: Array
    bytes: Array
    referrers: list[str | None]
    referrer: Array
    agents: list[AgentTail]
    agent: Array

    def __len__(self) -> int:
        return len(self.occurred)


@dataclass(frozen=True, slots=True)
class WindowNames:
    """The names of the pages and referrers in a window, by id."""

    pages: dict[int, PageName]
    referrers: dict[int, str]


async def load_window_names(snapshot: Snapshot, taken: Sequence[tuple[OpenPart, Array]]) -> WindowNames:
    """Read the names that the rows of an export's window refer to."""

    def distinct(name: str) -> set[int]:
        columns = [np.unique(opened.part.values(name, rows)) for opened, rows in taken]
        return set(np.concatenate(columns).tolist()) - {0} if columns else set()

    return WindowNames(
        await snapshot.names.of_pages(snapshot.raw, distinct("page")),
        await snapshot.names.of_referrers(snapshot.raw, distinct("referrer")),
    )


def window_columns(
    snapshot: Snapshot,
    names: WindowNames,
    taken: Sequence[tuple[OpenPart, Array]],
    live_rows: Sequence[Any],
    _: Waiting,
) -> VisitColumns:
    """Put the rows of parts and live ones together, newest first."""
    builder = WindowBuilder(snapshot, names)
    for opened, rows in taken:
        builder.add_lines(opened, rows)
    if live_rows:
        builder.add_live(live_rows)
    columns = builder.columns()
    if len(taken) + bool(live_rows) == 1 and taken:
        order: Array | slice = slice(None, None, -1)
    else:
        order = np.lexsort((columns.ids[:, 1], columns.ids[:, 0], columns.occurred))[::-1]
    for name in ("ids", "occurred", "user_id", "has_user", "bytes", *INDEXES):
        setattr(columns, name, getattr(columns, name)[order])
    return columns


class WindowBuilder:
    """Collects columns of several sources, and numbers their texts."""

    def __init__(self, snapshot: Snapshot, names: WindowNames) -> None:
        self.snapshot, self.names = snapshot, names
        self.countries = list(snapshot.addresses.countries)
        self.urls: list[str] = []
        self.tails: dict[Tail, int] = {}
        self.requests: dict[RequestTail, int] = {NO_REQUEST: 0}
        self.referrers: dict[str | None, int] = {None: 0}
        self.agents: dict[AgentTail, int] = {NO_AGENT: 0}
        self.pieces: list[dict[str, Array]] = []

    def add_lines(self, opened: OpenPart, rows: Array) -> None:
        """Add rows of a part of log lines."""
        part, source = opened.part, opened.span.source
        occurred, page, kind = part.occurred[rows], part.page[rows], part.kind[rows]
        url, tail = np.zeros(len(rows), np.int32), np.zeros(len(rows), np.int32)
        keys, inverse = np.unique(page.astype(np.int64) << 8 | kind, return_inverse=True)
        for index, key in enumerate(keys.tolist()):
            name = self.names.pages.get(key >> 8)
            category, product = (None, None) if name is None else (name.category, name.product)
            here = inverse == index
            tail[here] = self.tail((source, KIND_NAMES[chr(key & 0xFF)], category, product))
            if name is not None:
                url[here] = len(self.urls)
                self.urls.append(name.url)
        numbers = np.searchsorted(part.number_rows, rows)
        numbers[numbers == len(part.number_rows)] = 0
        if len(part.number_rows):
            has_numbers = part.number_rows[numbers] == rows
        else:
            has_numbers = np.zeros(len(rows), np.bool_)
        user_id, has_user = part.users_at(rows)
        templates = np.flatnonzero((page == 0) & has_numbers)
        url[templates] = np.arange(len(self.urls), len(self.urls) + len(templates))
        self.urls += template_urls(opened.span.host, part, kind[templates], numbers[templates])
        self.pieces.append(
            {
                "ids": part.ids_at(rows).view(">u8").reshape(-1, 2),
                "occurred": occurred,
                "user_id": user_id,
                "has_user": has_user,
                "url": url,
                "country": self.snapshot.addresses.codes[part.address[rows]],
                "tail": tail,
                "bytes": part.values("bytes", rows),
                **self.request_columns(part, rows),
            }
        )

    def request_columns(self, part: PartColumns, rows: Array) -> dict[str, Array]:
        """Return which of the requests, referrers and agents each line has."""
        method, status, referrer, agent = (
            part.values(name, rows) for name in ("method", "status", "referrer", "agent")
        )
        return {
            "request": places(method.astype(np.int64) << 16 | status, self.request),
            "referrer": places(referrer, lambda code: put(self.referrers, self.names.referrers.get(code))),
            "agent": places(agent, lambda code: put(self.agents, self.snapshot.agents.traits(code))),
        }

    def request(self, code: int) -> int:
        method, status = code >> 16, code & 0xFFFF
        return put(self.requests, (METHOD_NAMES[chr(method)] if method else None, status or None))

    def add_live(self, rows: Sequence[Any]) -> None:
        """Add live visits that stand in no part yet."""
        codes = {country: code for code, country in enumerate(self.countries)}
        url = np.arange(len(self.urls), len(self.urls) + len(rows))
        self.urls += [row["page_url"] for row in rows]
        ids = b"".join(uuid.UUID(row["request_id"]).bytes for row in rows)
        tails = [self.tail((row["source"], row["kind"], row["category"], row["product"])) for row in rows]
        countries = [codes.setdefault(row["country"], len(codes)) for row in rows]
        self.countries = list(codes)
        self.pieces.append(
            {
                "ids": np.frombuffer(ids, ">u8").reshape(-1, 2),
                "occurred": np.array([microseconds(row["occurred_at"]) for row in rows], np.int64),
                "user_id": np.array([row["user_id"] or 0 for row in rows], np.int64),
                "has_user": np.array([row["user_id"] is not None for row in rows], np.bool_),
                "url": url.astype(np.int32),
                "country": np.array(countries, np.int16),
                "tail": np.array(tails, np.int32),
                "bytes": np.full(len(rows), NO_BYTES),
                "request": np.zeros(len(rows), np.int32),
                "referrer": np.array([put(self.referrers, row["referrer"]) for row in rows], np.int32),
                "agent": np.array(
                    [
                        put(self.agents, (row["browser"], row["os"], row["device"], row["traffic"]))
                        for row in rows
                    ],
                    np.int32,
                ),
            }
        )

    def tail(self, tail: Tail) -> int:
        return put(self.tails, tail)

    def columns(self) -> VisitColumns:
        whole = {name: np.concatenate([piece[name] for piece in self.pieces]) for name in self.pieces[0]}
        return VisitColumns(
            **whole,
            urls=self.urls,
            countries=self.countries,
            tails=list(self.tails),
            requests=list(self.requests),
            referrers=list(self.referrers),
            agents=list(self.agents),
        )


def put(places: dict[T, int], value: T) -> int:
    """Return the place of a value in a list, at whose end it is put if it is new."""
    return places.setdefault(value, len(places))


def places(codes: Array, place_of: Callable[[int], int]) -> Array:
    """Return the place that stands for each code."""
    if not codes.any():
        return np.full(len(codes), place_of(0), np.int32)
    values, inverse = np.unique(codes, return_inverse=True)
    return np.array([place_of(code) for code in values.tolist()], np.int32)[inverse.reshape(-1)]


def template_urls(host: str, part: PartColumns, kinds: Array, numbers: Array) -> list[str]:
    """Return the URLs of template pages, as `template_url` makes each."""
    columns = (
        kinds.tolist(),
        *(getattr(part, name)[numbers].tolist() for name in ("cart_id", "goods_id", "amount", "user_id")),
    )
    return [
        f"{host}/cart?goods_id={goods_id}&amount={amount}&cart_id={cart_id}"
        if kind == CART
        else f"{host}/pay?user_id={user_id}&cart_id={cart_id}"
        if kind == PAY
        else f"{host}/success_pay_{cart_id}/"
        for kind, cart_id, goods_id, amount, user_id in zip(*columns, strict=True)
    ]
