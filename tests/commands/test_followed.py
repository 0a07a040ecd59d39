"""What `main.py import --follow` prints of files, as text and as JSON."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.followed import FAILED, MOSTLY_REJECTED, Followed
from db.models import Import
from db.queries.rejects import RejectRow

LOG, NEXT = Path("/logs/shop.log"), Path("/logs/next.log")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def record(number: int, *, imported: int, rejected: int) -> Import:
    return Import(
        id=number,
        name="shop.log",
        status="done",
        dry_run=False,
        bytes=100,
        lines=imported + rejected,
        imported=imported,
        duplicates=0,
        rejected=rejected,
        started_at=BEGIN,
        updated_at=BEGIN,
        finished_at=BEGIN,
    )


def test_counts_of_a_path_are_those_of_all_its_logs(capsys: pytest.CaptureFixture[str]) -> None:
    followed = Followed(as_json=False)
    followed.on_change(LOG, "began", "")
    for each in (record(1, imported=1, rejected=1), record(1, imported=2, rejected=1)):
        followed.on_progress(LOG, each)  # of the same import, as it goes on
    followed.on_change(LOG, "rotated", "/logs/shop.log.1")
    followed.on_progress(LOG, record(2, imported=1_000, rejected=0))
    followed.on_reject(LOG, RejectRow(line=3, offset=90, reason="no time", text="x"))
    assert followed.print_summary() == 0
    output, errors = capsys.readouterr()
    assert output.splitlines() == [
        "shop.log: following it",
        "shop.log: was rotated; the next one follows once this one is read to its end → /logs/shop.log.1",
        "shop.log: 1,003 lines: 1,002 imported, 0 duplicates, 1 rejected, rotations: 1 (followed)",
    ]
    assert errors == "shop.log:3: no time\n"


def test_with_json_each_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    followed = Followed(as_json=True)
    followed.on_change(LOG, "cut", "")
    for each in (record(1, imported=1, rejected=2), record(2, imported=5, rejected=0)):
        followed.on_progress(LOG, each)
    assert followed.print_summary() == 0
    change, *imports = map(json.loads, capsys.readouterr().out.splitlines())
    assert change == {"event": "cut", "path": str(LOG), "detail": None}
    assert [(each["id"], each["lines"]) for each in imports] == [(1, 3), (2, 5)]


def test_the_exit_code_is_that_of_the_worst_file() -> None:
    followed = Followed(as_json=True)
    followed.on_progress(LOG, record(1, imported=1, rejected=2))
    assert followed.print_summary() == MOSTLY_REJECTED
    followed.on_change(NEXT, "unreadable", "Permission denied")
    assert followed.print_summary() == FAILED
