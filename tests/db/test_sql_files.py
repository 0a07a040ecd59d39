"""Statements in files: each is run by something."""

from tests.support.command_line import PROJECT

FOLDER = PROJECT / "db" / "sql"


def test_every_file_is_named_in_the_code_that_runs_it() -> None:
    code = "".join(path.read_text() for room in ("db", "service") for path in (PROJECT / room).rglob("*.py"))
    names = [str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.sql")]
    assert len(names) > 20
    assert [name for name in names if f'"{name}"' not in code] == []
