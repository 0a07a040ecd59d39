"""New parts: encoded, inserted, and compared with those that are stored (db.models.VisitPart)."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from struct import pack

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncSession

from db.binary_copy import HEADER, TRAILER
from db.bulk import copy_rows
from db.columns import YEAR_2000, Values, encode
from db.narrow_columns import NARROW_TYPES, decode_array, narrow_columns, with_forms
from db.queries.part_columns import LOG, NO_ID, NO_VALUE, TYPES, Columns, PartSpan
from db.sessions import raw_connection
from db.unique import distinct

ALWAYS = ("occurred", "key", "position", "address_id", "page_id", "kind")  # what every visit has
METADATA = (
    "import_id",
    "source",
    "first_at",
    "last_at",
    "visits",
    "first_position",
    "host",
    "page_ids",
    "cart_ids",
)
MESSAGE_BYTES = 65_536  # of COPY, into which small fields are joined
LOWER_INCLUSIVE, UPPER_INFINITE = 0x02, 0x10  # flags of a range
MAX_BIGINT = 2**63 - 1

Fields = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Part:
    """Visits as they are stored: at least one, ordered by (occurred, position).

    :param columns: arrays by the names in TYPES: microseconds since 1970, codes of kinds and methods, page 0
        for URLs that `host` and the numbers make, and 0 (or NO_VALUE) where a visit has no such number; what
        no visit has may be left out
    """

    import_id: int
    host: str
    columns: Columns
    source: str = LOG

    def __len__(self) -> int:
        return len(self.columns["occurred"])

    def span(self, part_id: int, token: uuid.UUID) -> PartSpan:
        """Return what is known of it without its columns, when it has an id."""
        occurred = self.columns["occurred"]
        return PartSpan(
            id=part_id,
            token=token,
            import_id=self.import_id,
            first_at=int(occurred[0]),
            last_at=int(occurred[-1]),
            visits=len(self),
            first_position=int(self.columns["position"][0]),
            host=self.host,
            cart_ids=range_of(self.columns["cart_id"]),
            source=self.source,
        )


def encode_part(part: Part) -> Fields:
    """Encode the fields of a part for `insert_part`."""
    fields = encode_metadata(part)
    positions = part.columns["position"]
    first = int(positions[0])
    # A look-up of merged visits reads the wide form alone, and of these most have times between seconds.
    narrowed, absent = narrow_columns(part.columns) if part.source == LOG else ({}, frozenset())
    if (positions == np.arange(first, first + len(positions))).all():
        absent |= {"position"}
    for name, type_name in TYPES.items():
        values = part.columns.get(name)
        if values is None or name in absent:
            fields.append(None)
        elif type_name == "uuid":
            fields.append(None if values.dtype == NO_ID else encode(values, type_name))
        elif name in ALWAYS:
            fields.append(encode(values, type_name))
        else:
            valid = values != NO_VALUE.get(name, 0)
            fields.append(encode(values, type_name, valid) if valid.any() else None)
    for name, type_name in NARROW_TYPES.items():
        fields.append(encode(narrowed[name], type_name) if name in narrowed else None)
    return fields


def encode_metadata(part: Part) -> Fields:
    """Encode the columns of a part that describe it, in the order of METADATA."""
    occurred, page_ids = part.columns["occurred"], distinct(part.columns["page_id"])
    cart_ids = range_of(part.columns["cart_id"])
    return [
        pack(">q", part.import_id),
        part.source.encode(),
        pack(">q", int(occurred[0]) - YEAR_2000),
        pack(">q", int(occurred[-1]) - YEAR_2000),
        pack(">i", len(part)),
        pack(">q", int(part.columns["position"][0])),
        part.host.encode(),
        encode(page_ids[page_ids > 0], "int4"),
        None if cart_ids is None else encode_range(*cart_ids),
    ]


def range_of(numbers: Values) -> tuple[int, int] | None:
    """Return the smallest and the largest number but 0."""
    present = numbers[numbers != 0]
    return (int(present.min()), int(present.max())) if len(present) else None


def encode_range(first: int, last: int) -> bytes:
    """Encode an int8range of numbers. Its upper bound is the number after the last one, if there is one."""
    if last == MAX_BIGINT:
        return pack(">biq", LOWER_INCLUSIVE | UPPER_INFINITE, 8, first)
    return pack(">biqiq", LOWER_INCLUSIVE, 8, first, 8, last + 1)


def row_pieces(fields: Fields) -> list[memoryview]:
    """Return the messages of a binary COPY of one row."""
    pieces = [HEADER, pack(">h", len(fields))]
    for value in fields:
        pieces += [pack(">i", -1)] if value is None else [pack(">i", len(value)), value]
    messages: list[bytes] = []
    small: list[bytes] = []
    for piece in (*pieces, TRAILER):
        if len(piece) < MESSAGE_BYTES:
            small.append(piece)
        else:
            messages += [b"".join(small), piece]
            small = []
    return [memoryview(message) for message in (*messages, b"".join(small)) if message]


async def insert_part(session: AsyncSession, part_id: int, token: uuid.UUID, fields: Fields) -> None:
    """Insert a part, encoded by `encode_part`. The caller holds the lock of parts."""
    metadata, arrays = fields[: len(METADATA)], fields[len(METADATA) :]
    row = [pack(">q", part_id), token.bytes, *metadata]
    await copy_rows(session, "visit_part", ("id", "token", *METADATA), row_pieces(row))
    await copy_rows(
        session, "visit_part_columns", ("token", *TYPES, *NARROW_TYPES), row_pieces([token.bytes, *arrays])
    )


async def next_part_id(session: AsyncSession) -> tuple[int, uuid.UUID]:
    """Return the id and the token of the next part."""
    raw = await raw_connection(session)
    row = await raw.fetchrow(
        "SELECT nextval(pg_get_serial_sequence('visit_part', 'id')) AS id, gen_random_uuid() AS token"
    )
    assert row is not None
    return row["id"], uuid.UUID(int=row["token"].int)


@dataclass(frozen=True, slots=True)
class Keys:
    """The times and keys of some lines, ordered by time; both together tell a line."""

    occurred: NDArray[np.int64]
    key: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.occurred)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Keys":
        return Keys(self.occurred[rows], self.key[rows])

    def are_in(self, others: "Keys") -> NDArray[np.bool_]:
        """Return which of these lines are among others."""
        rows = np.flatnonzero(np.isin(mix(self), mix(others)))
        if len(rows):
            # Different lines may have the same mix.
            shared = others.take(np.isin(mix(others), mix(self.take(rows))))
            pairs = set(zip(shared.occurred.tolist(), shared.key.tolist(), strict=True))
            candidates = zip(self.occurred[rows].tolist(), self.key[rows].tolist(), strict=True)
            rows = rows[[pair in pairs for pair in candidates]]
        mask = np.zeros(len(self), np.bool_)
        mask[rows] = True
        return mask


def mix(keys: Keys) -> NDArray[np.uint64]:
    return (keys.occurred.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ keys.key.view(np.uint64)


async def select_overlapping_parts(
    session: AsyncSession, first: int, last: int, *, trial: bool = False
) -> list[uuid.UUID]:
    """Return the tokens of the parts that may have visits between two times, in microseconds since 1970.

    :param trial: of the parts of this transaction's dry run
    """
    raw = await raw_connection(session)
    rows = await raw.fetch(OVERLAPS_OF_TRIAL if trial else OVERLAPS, first, last)
    return [row["token"] for row in rows]


async def select_keys(session: AsyncSession, token: uuid.UUID, *, trial: bool = False) -> Keys:
    """Return the times and keys of a part."""
    raw = await raw_connection(session)
    row = await raw.fetchrow(KEYS_OF_TRIAL if trial else KEYS, token)
    assert row is not None
    columns = [decode_array(dict(row), name) for name in KEY_NAMES]
    occurred, key = (pair[0].astype(np.int64, copy=False) for pair in columns if pair is not None)
    return Keys(occurred, key)


def sent(names: Iterable[str]) -> str:
    return ", ".join(f"array_send({name}) AS {name}" for name in names)


OVERLAPS = """
    SELECT token FROM visit_part
    WHERE
        last_at >= to_timestamp(0) + CAST($1 AS bigint) * INTERVAL '1 microsecond'
        AND first_at <= to_timestamp(0) + CAST($2 AS bigint) * INTERVAL '1 microsecond'
        AND source = 'log'
    ORDER BY id
"""
KEY_NAMES = ("occurred", "key")
SENT = "SELECT {} FROM {} WHERE token = $1"
KEYS = SENT.format(sent(with_forms(KEY_NAMES)), "visit_part_columns")
OVERLAPS_OF_TRIAL = OVERLAPS.replace("visit_part", "trial_part")
KEYS_OF_TRIAL = SENT.format(sent(KEY_NAMES), "trial_part")  # which has no narrow forms


async def insert_trial_keys(session: AsyncSession, keys: Keys) -> None:
    """Keep the keys of a dry run's chunk until the transaction ends, for the chunks after it."""
    fields: Fields = [
        pack(">q", int(keys.occurred[0]) - YEAR_2000),
        pack(">q", int(keys.occurred[-1]) - YEAR_2000),
        encode(keys.occurred, "timestamptz"),
        encode(keys.key, "int8"),
    ]
    await copy_rows(session, "trial_part", ("first_at", "last_at", "occurred", "key"), row_pieces(fields))


async def create_trial_parts(session: AsyncSession) -> None:
    """Create the table in which a dry run keeps its keys."""
    raw = await raw_connection(session)
    await raw.execute(
        "CREATE TEMPORARY TABLE IF NOT EXISTS trial_part ("
        "id bigint GENERATED BY DEFAULT AS IDENTITY, token uuid NOT NULL DEFAULT gen_random_uuid(), "
        "source text NOT NULL DEFAULT 'log', first_at timestamptz, last_at timestamptz, "
        "occurred timestamptz[], key bigint[]) ON COMMIT DROP"
    )
