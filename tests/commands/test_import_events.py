"""`main.py import-events`."""

import gzip
import json
import uuid
from pathlib import Path

from commands.import_events import MAX_LINE
from tests.support.command_line import Command

AT = "2026-11-20T12:00:00Z"


def event(number: int, **values: object) -> dict[str, object]:
    return {
        "event_id": str(uuid.UUID(int=number)),
        "user_id": number,
        "event_type": "view",
        "occurred_at": AT,
        "properties": {"page": "/fish/"},
    } | values


def ndjson(*events: dict[str, object]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


def test_files_of_both_kinds_packed_and_on_standard_input_store_each_event_once(
    trawl: Command, tmp_path: Path
) -> None:
    lines = tmp_path / "events.ndjson"
    lines.write_bytes(ndjson(event(1), event(2), event(2, event_type="buy")) + b"\n{broken\n")
    table = tmp_path / "events.csv.gz"
    rows = (
        "event_id,user_id,event_type,occurred_at,properties_json",
        f'{uuid.UUID(int=1)},1,view,{AT},"{{""page"": ""/fish/""}}"',
        f'{uuid.UUID(int=3)},3,"a ""word"", or\nmore",{AT},',
        f"{uuid.UUID(int=4)},4,view,{AT},{{oops",
        f"{uuid.UUID(int=5)},5,view",
    )
    table.write_bytes(gzip.compress("\ufeff".encode() + "\r\n".join(rows).encode()))
    code, output, errors = trawl.run(
        "import-events", str(lines), str(table), "-", text=ndjson(event(3)).decode()
    )
    assert output.splitlines() == [
        f"{lines}: 4 events: 2 created, 0 duplicates, 1 conflicts, 1 invalid",
        f"{table}: 4 events: 1 created, 1 duplicates, 0 conflicts, 2 invalid",
        "-: 1 events: 0 created, 0 duplicates, 1 conflicts, 0 invalid",
    ]
    assert [line.split(": ")[:2] for line in errors.splitlines()] == [
        [f"{lines}:3", "conflict"],
        [f"{lines}:5", "invalid"],
        [f"{table}:5", "invalid"],
        [f"{table}:6", "invalid"],
        ["-:1", "conflict"],
    ]
    assert "properties must be an object" in errors
    assert f"{lines}:5: invalid: can't be read: " in errors  # the line as a whole: no field is named
    assert code == 3  # the last file has no event that was taken
    plain = tmp_path / "events.csv"
    plain.write_bytes(gzip.decompress(table.read_bytes()))
    code, output, _ = trawl.run("import-events", str(plain))
    assert (code, output) == (0, f"{plain}: 4 events: 0 created, 2 duplicates, 0 conflicts, 2 invalid\n")


def test_a_file_of_many_batches_is_counted_whole_and_again_a_duplicate(
    trawl: Command, tmp_path: Path
) -> None:
    file = tmp_path / "many.ndjson"
    file.write_bytes(ndjson(*(event(number) for number in range(1, 12_001))))
    code, output, errors = trawl.run("import-events", "--json", str(file))
    assert (code, errors) == (0, "")
    counts = {"received": 12_000, "created": 12_000, "duplicates": 0, "conflicts": 0, "invalid": 0}
    assert json.loads(output) == {"name": str(file), **counts}
    code, output, _ = trawl.run("import-events", str(file))
    assert (code, output) == (
        0,
        f"{file}: 12,000 events: 0 created, 12,000 duplicates, 0 conflicts, 0 invalid\n",
    )


def test_a_line_without_end_costs_no_memory_and_the_next_is_read(trawl: Command, tmp_path: Path) -> None:
    file = tmp_path / "long.ndjson"
    file.write_bytes(ndjson(event(1)) + b"x" * (2 * MAX_LINE + 5) + b"\n" + ndjson(event(2), event(3)))
    code, output, errors = trawl.run("import-events", str(file))
    assert (code, output) == (0, f"{file}: 4 events: 3 created, 0 duplicates, 0 conflicts, 1 invalid\n")
    assert errors.startswith(f"{file}:2: invalid: ")


def test_a_file_that_can_not_be_read_is_reported_in_one_line(trawl: Command, tmp_path: Path) -> None:
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(gzip.compress(ndjson(event(1)))[:-12])
    header = tmp_path / "header.csv"
    header.write_text("event_id,user,event_type,occurred_at\n")
    for file, words in {
        str(cut): "the gzip data is broken or cut off",
        str(header): "the header lacks user_id",
        str(
            tmp_path / "none"
        ): f"trawl: {tmp_path / 'none'}: the events can't be read: No such file or directory",
    }.items():
        code, _, errors = trawl.run("import-events", file)
        assert code == 1
        assert words in errors.splitlines()[-1]


def test_an_empty_file_has_no_events(trawl: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    code, output, _ = trawl.run("import-events", str(tmp_path / "empty"))
    assert (code, output.partition(": ")[2]) == (
        0,
        "0 events: 0 created, 0 duplicates, 0 conflicts, 0 invalid\n",
    )


def test_a_file_of_another_kind_is_shown_with_its_line_and_what_is_taken(
    trawl: Command, tmp_path: Path
) -> None:
    log, table, mixed = tmp_path / "shop.log", tmp_path / "shop.csv", tmp_path / "mixed.ndjson"
    log.write_text("a line\nof a log\n")
    code, output, errors = trawl.run("import-events", str(log))
    first, second, *_ = errors.splitlines()
    assert (code, output) == (3, f"{log}: 2 events: 0 created, 0 duplicates, 0 conflicts, 2 invalid\n")
    assert first.startswith(f"trawl: {log}: no line is an event; ")
    assert all(
        word in first for word in ("NDJSON", "CSV with the header event_id,user_id", "`main.py import`")
    )
    assert second.startswith(f"{log}:1: invalid: can't be read")
    table.write_text("event_id,kind\n")
    code, output, errors = trawl.run("import-events", str(table))
    assert (code, output) == (1, "")
    assert errors.startswith(f"trawl: {table}: line 1: the header lacks event_type, occurred_at, user_id; ")
    mixed.write_bytes(b"broken\n" + ndjson(event(1, user_id=None)))
    code, output, errors = trawl.run("import-events", str(mixed))
    assert (code, "no line is an event" in errors) == (3, False)
