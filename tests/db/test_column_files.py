"""Files of decoded columns: the same as what was decoded, made anew when they are not, bounded and shared."""

import os
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from db import column_files
from db.column_files import ColumnFiles
from db.part_files import LAYOUT, PartColumns, make_columns, order_of, path_of, write_file
from telemetry.logs import PeriodicWarning

MIB = 2**20


def part(visits: int = 10, *, seed: int = 1) -> PartColumns:
    random = np.random.default_rng(seed)
    users = random.integers(0, 3, visits)
    return make_columns(
        {
            "occurred": (np.sort(random.integers(0, 5, visits)), None),
            "key": (random.integers(0, 2**62, visits), None),
            "address_id": (random.integers(1, 4, visits).astype(np.int32), None),
            "page_id": (random.integers(0, 4, visits).astype(np.int32), None),
            "kind": (random.choice(np.frombuffer(b"mcpy", np.uint8), visits), None),
            "cart_id": None,
            "goods_id": None,
            "amount": None,
            "user_id": (users, users > 0),
            "status": (random.choice(np.array([200, 404], np.int16), visits), None),
            "bytes": (users, users > 0),
            "agent_id": (users.astype(np.int32), users > 0),
        }
    )


def same(one: PartColumns | None, other: PartColumns) -> bool:
    return one is not None and all(
        (getattr(one, name) == getattr(other, name)).all() for name, _, _ in LAYOUT
    )


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2**63 - 1)), max_size=40))
def test_rows_are_in_the_order_of_time_and_key(rows: list[tuple[int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    occurred, key = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
    order = order_of(occurred, key)
    assert [rows[place] for place in order] == sorted(rows)


def test_what_no_visit_has_takes_no_place_and_reads_as_none() -> None:
    columns, rows = part(), np.array([0, 3])
    assert (len(columns.referrer), len(columns.method), len(columns.agents)) == (0, 0, 2)
    assert columns.values("referrer", slice(2, 5)).tolist() == [0, 0, 0]
    assert columns.values("referrer", rows).tolist() == [0, 0]
    assert columns.values("status", rows).tolist() == columns.status[rows].tolist()
    assert set(columns.bytes.tolist()) == {-1, 1, 2}


def test_another_process_maps_what_one_has_written(tmp_path: Path) -> None:
    columns, token = part(), uuid.uuid4()
    assert same(ColumnFiles[PartColumns](tmp_path, bound=MIB).put(token, columns), columns)
    other = ColumnFiles[PartColumns](tmp_path, bound=MIB)
    assert same(other.get(token), columns)
    assert same(other.peek([token])[token], columns)
    assert other.get(uuid.uuid4()) is None


@pytest.mark.parametrize("harm", ["short", "empty", "longer", "header", "values", "gone", "another"])
def test_a_file_that_is_not_what_was_written_counts_as_none_and_is_made_anew(
    tmp_path: Path, harm: str
) -> None:
    columns, token = part(), uuid.uuid4()
    write_file(tmp_path, token, columns)
    path = path_of(tmp_path, token)
    content = path.read_bytes()
    match harm:
        case "short":
            path.write_bytes(content[:-1])
        case "empty":
            path.write_bytes(b"")
        case "longer":
            path.write_bytes(content + b"\0")
        case "header":
            path.write_bytes(content[:30] + b"\xff" + content[31:])
        case "values":
            path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
        case "gone":
            path.unlink()
        case "another":
            other = uuid.uuid4()
            write_file(tmp_path, other, part(seed=2))
            path_of(tmp_path, other).replace(path)
    files = ColumnFiles[PartColumns](tmp_path, bound=MIB)
    assert files.get(token) is None
    files.put(token, columns)
    assert same(ColumnFiles[PartColumns](tmp_path, bound=MIB).get(token), columns)


def test_files_stay_within_their_bound_and_the_least_used_go_first(tmp_path: Path) -> None:
    tokens = [uuid.uuid4() for _ in range(8)]
    size = part(1000).size
    files = ColumnFiles[PartColumns](tmp_path, bound=5 * size)
    for age, token in enumerate(tokens[:4]):
        files.put(token, part(1000, seed=age))
        os.utime(path_of(tmp_path, token), (1000 + age, 1000 + age))
    ColumnFiles[PartColumns](tmp_path, bound=5 * size).get(tokens[0])  # another worker uses the oldest
    for age, token in enumerate(tokens[4:6]):
        files.put(token, part(1000, seed=10 + age))
    stems = {path.stem for path in tmp_path.glob("*.columns")}
    assert tokens[0].hex in stems
    assert tokens[1].hex not in stems
    assert sum(path.stat().st_size for path in tmp_path.glob("*.columns")) <= 5.5 * size


def test_files_are_made_ahead_while_there_is_much_space_left(tmp_path: Path) -> None:
    tokens = [uuid.uuid4() for _ in range(6)]
    files = ColumnFiles[PartColumns](tmp_path, bound=5 * part(1000).size)
    for made in range(4):
        assert files.missing(tokens) == tokens[made:]
        files.put(tokens[made], part(1000))
    assert files.missing(tokens) == []


@pytest.mark.parametrize(("age", "is_missed"), [(0, True), (7200, False)])
def test_a_cache_too_small_for_what_is_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int, is_missed: bool
) -> None:
    monkeypatch.setattr(column_files, "full_warning", PeriodicWarning("column_cache_full"))
    size = part(1000).size
    files = ColumnFiles[PartColumns](tmp_path, bound=3 * size)
    with capture_logs() as logs:
        for seed in range(5):
            token = uuid.uuid4()
            files.put(token, part(1000, seed=seed))
            used = time.time() - age
            os.utime(path_of(tmp_path, token), (used, used))
    assert [line["event"] for line in logs] == ["column_cache_full"] * is_missed


def test_files_of_parts_that_are_gone_are_deleted_and_those_of_the_dead_too(tmp_path: Path) -> None:
    kept, gone = uuid.uuid4(), uuid.uuid4()
    files = ColumnFiles[PartColumns](tmp_path, bound=MIB)
    for token in (kept, gone):
        files.put(token, part())
    old, new = tmp_path / ".a.tmp", tmp_path / ".b.tmp"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 3600,) * 2)
    files.drop_all_but([kept])
    assert files.peek([kept, gone]).keys() == {kept}
    assert {path.name for path in tmp_path.iterdir()} == {f"{kept.hex}.columns", ".b.tmp"}


def test_columns_are_read_also_where_no_file_can_be_written(tmp_path: Path) -> None:
    columns, token = part(), uuid.uuid4()
    (tmp_path / "file").write_bytes(b"")
    assert ColumnFiles[PartColumns](tmp_path / "file", bound=MIB).put(token, columns) is columns
    assert ColumnFiles[PartColumns](tmp_path / "other", bound=0).put(token, columns) is columns
    assert not (tmp_path / "other").exists()
