"""Columns are encoded as PostgreSQL encodes arrays, and decoded to what they were, nulls included."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.binary_copy import HEADER, TRAILER
from db.bulk import copy_rows
from db.columns import TYPES, decode, encode
from db.database import Database
from db.sessions import raw_connection
from db.visit_ids import id_texts, ids_of_texts
from tests.support.examples import examples

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST = {
    "int2": 2**15 - 1,
    "int4": 2**31 - 1,
    "int8": 2**63 - 1,
    "timestamptz": 253_402_300_799_999_998,  # asyncpg sends datetime.max as infinity
}


@st.composite
def columns(draw: st.DrawFn) -> tuple[str, list[int | None]]:
    """A type, and values of it; often such as look like the length of a null or of a value."""
    name = draw(st.sampled_from(sorted(TYPES.keys() - {"uuid"})))
    odd = (-1, 0, 1, 2, 4, 8, 255, 2**32 - 1, -(2**32), 0x00000008FFFFFFFF)
    if name == '"char"':
        values = st.integers(1, 127)  # asyncpg sends letters
    else:
        least = 0 if name == "timestamptz" else -MOST[name] - 1
        fitting = [value for value in odd if least <= value <= MOST[name]]
        values = st.integers(least, MOST[name]) | st.sampled_from(fitting)
    return name, draw(st.lists(values | st.none(), max_size=40))


def to_sql(name: str, value: int | None) -> Any:
    if value is None:
        return None
    if name == "timestamptz":
        return EPOCH + timedelta(microseconds=value)
    return bytes([value]) if name == '"char"' else value


def to_arrays(name: str, values: list[int | None]) -> tuple[Any, Any]:
    array = np.array([value or 0 for value in values], TYPES[name].memory)
    return array, np.array([value is not None for value in values], np.bool_)


def to_list(values: Any, valid: Any) -> list[int | None]:
    elements: list[int] = values.tolist()
    whole = [True] * len(elements) if valid is None else valid
    return [value if is_valid else None for value, is_valid in zip(elements, whole, strict=True)]


@given(columns())
@settings(max_examples=examples(50), suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_array_is_encoded_as_postgresql_encodes_it(
    db: Database, column: tuple[str, list[int | None]]
) -> None:
    name, values = column
    async with db.transaction() as session:
        raw = await raw_connection(session)
        sent = await raw.fetchval(
            f"SELECT array_send(CAST($1 AS {name}[]))", [to_sql(name, value) for value in values]
        )
    array, valid = to_arrays(name, values)
    assert encode(array, name, valid) == sent
    assert to_list(*decode(sent)) == values


@given(columns())
def test_decoded_to_what_was_encoded(column: tuple[str, list[int | None]]) -> None:
    name, values = column
    array, valid = to_arrays(name, values)
    assert to_list(*decode(encode(array, name, valid))) == values
    decoded, whole = decode(encode(array, name))
    assert whole is None
    assert decoded.dtype == TYPES[name].memory
    assert decoded.tolist() == array.tolist()


@pytest.mark.parametrize("name", ["int2", "int8", '"char"'])
def test_values_that_look_like_nulls_are_told_from_them(name: str) -> None:
    values = np.full(1000, 255 if name == '"char"' else -1, TYPES[name].memory)
    valid = np.arange(1000) % 3 > 0
    decoded, mask = decode(encode(values, name, valid))
    assert mask is not None
    assert mask.tolist() == valid.tolist()
    assert decoded.tolist() == np.where(valid, values, 0).tolist()


@given(st.lists(st.uuids() | st.sampled_from((uuid.UUID(int=0), uuid.UUID(int=1 << 127))), max_size=20))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_ids_are_encoded_as_postgresql_encodes_them(db: Database, ids: list[uuid.UUID]) -> None:
    async with db.transaction() as session:
        raw = await raw_connection(session)
        sent = await raw.fetchval("SELECT array_send(CAST($1 AS uuid[]))", ids)
    values = ids_of_texts([str(each) for each in ids])
    assert encode(values, "uuid") == sent
    decoded, valid = decode(sent)
    assert valid is None
    assert id_texts(decoded.view("S16")) == [str(each) for each in ids]


async def test_binary_copy_accepts_an_encoded_array(db: Database) -> None:
    """The array within a row of binary COPY is what `array_send` returns."""
    data = encode(np.array([5, 7, 9]), "int8", np.array([True, False, True]))
    row = (1).to_bytes(2) + len(data).to_bytes(4) + data
    async with db.transaction() as session:
        await session.execute(text("CREATE TEMPORARY TABLE holder (numbers int8[])"))
        await copy_rows(session, "holder", ["numbers"], [memoryview(HEADER + row + TRAILER)])
        assert await session.scalar(text("SELECT numbers FROM holder")) == [5, None, 9]
