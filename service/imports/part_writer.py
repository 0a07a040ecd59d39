"""Stores the lines of a chunk as a part, each line once, with all that is derived from it."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from clients.geo import Geo
from db.columns import Values
from db.database import Database, Transaction
from db.kinds import KIND_CODES, KINDS, METHOD_CODES
from db.locks import lock_parts, lock_writers_shared
from db.queries import addresses, new_parts
from db.queries.new_carts import CartLines, cart_lines_of, merge_part
from db.queries.new_parts import Keys, Part
from db.queries.part_columns import NO_VALUE
from db.queries.visits import add_counts_to_rollups
from db.rollup_counts import CountedColumns, Rollups, rollup_literals
from db.threads import run_in_thread
from service.logs import line_columns
from service.logs.line_columns import LineColumns
from service.visits.known_addresses import NEVER
from service.visits.names import ChunkNames, NameIds, first_products

CODES = np.array([ord(KIND_CODES[kind]) for kind in line_columns.KINDS], np.uint8)
KIND_INDEXES = np.array([KINDS.index(kind) for kind in line_columns.KINDS], np.int8)


class StaleNames(Exception):
    """Addresses have changed since the chunk's were looked up."""


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """A chunk's lines, and what they are stored as.

    :param lower: indexes of the addresses whose bound of product views these lines lower, and to when
    """

    lines: LineColumns
    names: ChunkNames
    part: Part
    fields: new_parts.Fields
    rollups: Rollups
    carts: CartLines
    lower: tuple[list[int], list[int]]


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """How many parts' keys an importer remembers: the last ones are those that the next chunk overlaps."""

    parts: int = 8


KEPT_KEYS = KeptKeys()


class PartWriter:
    """Writes the chunks of an import, one after the other."""

    def __init__(self, geo: Geo, import_id: int, *, kept: KeptKeys = KEPT_KEYS) -> None:
        self._import_id = import_id
        self._names = NameIds(geo)
        self._kept = kept
        self._keys: OrderedDict[UUID, Keys] = OrderedDict()

    async def prepare(self, db: Database, lines: LineColumns) -> PreparedPart | None:
        """Look the names of lines up, and encode what is to be stored; None without lines."""
        if not len(lines):
            return None
        names = await self._names.get(db, lines)
        return await asyncio.to_thread(prepare_part, lines, names, self._import_id)

    async def store(self, session: Transaction, prepared: PreparedPart) -> int:
        """Store those of the lines that are new, in the caller's transaction. Return how many they are.

        :raises StaleNames: the chunk has to be prepared anew
        """
        await lock_parts(session)
        await lock_writers_shared(session)
        if await addresses.select_address_version(session) != prepared.names.version:
            raise StaleNames
        keys = Keys(prepared.lines.occurred, prepared.lines.key)
        stored = await self._find_stored(session, keys)
        if stored.any():
            if stored.all():
                return 0
            lines = prepared.lines.take(~stored)
            prepared = await run_in_thread(lambda: prepare_part(lines, prepared.names, self._import_id))
        part_id, token = await new_parts.next_part_id(session)
        await new_parts.insert_part(session, part_id, token, prepared.fields)
        if prepared.lower[0]:
            rows, times = prepared.lower
            await addresses.lower_first_products(session, prepared.names.address_id[rows].tolist(), times)
            address_keys = prepared.lines.address_keys
            self._names.addresses.lower_first_products([address_keys[row] for row in rows], times)
        await add_counts_to_rollups(session, prepared.rollups)
        part = prepared.part
        await merge_part(session, part.span(part_id, token), prepared.carts)
        self._remember(token, Keys(prepared.lines.occurred, prepared.lines.key))
        return len(part)

    async def count_new(self, session: Transaction, lines: LineColumns) -> int:
        """Count the lines that are stored nowhere, and in no chunk before in this transaction's dry run."""
        if not len(lines):
            return 0
        await new_parts.create_trial_parts(session)
        keys = Keys(lines.occurred, lines.key)
        stored = await self._find_stored(session, keys)
        first, last = int(keys.occurred[0]), int(keys.occurred[-1])
        for token in await new_parts.select_overlapping_parts(session, first, last, trial=True):
            stored |= keys.are_in(await new_parts.select_keys(session, token, trial=True))
        new = keys.take(~stored)
        if len(new):
            await new_parts.insert_trial_keys(session, new)
        return len(new)

    async def _find_stored(self, session: Transaction, keys: Keys) -> NDArray[np.bool_]:
        """Return which lines are stored: parts that overlap them in time are compared, and no others."""
        stored = np.zeros(len(keys), np.bool_)
        first, last = int(keys.occurred[0]), int(keys.occurred[-1])
        for token in await new_parts.select_overlapping_parts(session, first, last):
            others = self._keys.get(token)
            if others is None:
                others = await new_parts.select_keys(session, token)
                self._remember(token, others)
            stored |= await run_in_thread(partial(find_keys, keys, others))
        return stored

    def _remember(self, token: UUID, keys: Keys) -> None:
        """Keep the keys of a part. One that is not committed after all is never asked for."""
        self._keys[token] = keys
        self._keys.move_to_end(token)
        while len(self._keys) > self._kept.parts:
            self._keys.popitem(last=False)


def find_keys(keys: Keys, others: Keys) -> NDArray[np.bool_]:
    """Return which lines are among others, comparing those of the same time alone."""
    mask = np.zeros(len(keys), np.bool_)
    rows = common_rows(keys, others)
    mask[rows] = keys.take(rows).are_in(others.take(common_rows(others, keys)))
    return mask


def common_rows(keys: Keys, others: Keys) -> slice:
    """Return the rows within the time of others."""
    start = int(np.searchsorted(keys.occurred, others.occurred[0]))
    return slice(start, int(np.searchsorted(keys.occurred, others.occurred[-1], "right")))


def request_columns(lines: LineColumns, names: ChunkNames) -> dict[str, Values]:
    """Return what lines of other formats say beyond the shop's fields; nothing for those of the shop."""
    columns: dict[str, Values] = {}
    if lines.method is not None:
        codes = [ord(METHOD_CODES.get(method, "\0")) for method in lines.methods]
        columns["method"] = np.array([*codes, 0], np.uint8)[lines.method]
    if lines.status is not None:
        columns["status"] = np.maximum(lines.status, 0)
    if lines.body_bytes is not None:
        columns["bytes"] = np.maximum(lines.body_bytes, NO_VALUE["bytes"])
    if lines.referrer is not None:
        columns["referrer_id"] = names.referrer_id[lines.referrer]
    if lines.agent is not None:
        columns["agent_id"] = names.agent_id[lines.agent]
    return columns


def bots_of(lines: LineColumns, names: ChunkNames) -> NDArray[np.bool_] | None:
    """Return which lines are of bots; None for a log that does not say it."""
    return None if lines.agent is None else names.is_bot[lines.agent]


def prepare_part(lines: LineColumns, names: ChunkNames, import_id: int) -> PreparedPart:
    """Encode lines, and count them."""
    part = Part(
        import_id,
        lines.host,
        {
            "occurred": lines.occurred,
            "key": lines.key,
            "position": lines.position,
            "address_id": names.address_id[lines.address],
            "page_id": names.page_id[lines.page],
            "kind": CODES[lines.kind],
            "cart_id": lines.cart_id,
            "goods_id": lines.goods_id,
            "amount": lines.amount,
            "user_id": lines.user_id,
            **request_columns(lines, names),
        },
    )
    is_bot = bots_of(lines, names)
    counted = CountedColumns(
        occurred=lines.occurred,
        kind=KIND_INDEXES[lines.kind],
        category_id=names.category_id[lines.page],
        country=names.country[lines.address],
        countries=names.countries,
        is_bot=is_bot,
    )
    addresses = dict(zip(names.address_id.tolist(), lines.addresses, strict=True))
    first = first_products(lines)
    lower = np.flatnonzero((first < names.first_product) & (first != NEVER))
    return PreparedPart(
        lines=lines,
        names=names,
        part=part,
        fields=new_parts.encode_part(part),
        rollups=rollup_literals(counted),
        carts=cart_lines_of(part.columns, addresses, is_bot),
        lower=(lower.tolist(), first[lower].tolist()),
    )
