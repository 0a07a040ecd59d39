"""`main.py backup` and `restore`."""

from pathlib import Path

from tests.support.command_line import Command


def test_a_backup_and_its_restoration_by_command(trawl: Command, tmp_path: Path) -> None:
    file = tmp_path / "trawl.backup"
    code, output, _ = trawl.run("backup", str(file))
    assert (code, output.startswith(f"{file}: ")) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    code, output, errors = trawl.run("backup", str(file))
    assert (code, output) == (1, "")
    assert errors == f"trawl: {file} is there; take another name, or overwrite it with --force"
    assert trawl.run("backup", "--force", str(file))[0] == 0
    code, output, _ = trawl.run("restore", str(file))
    assert (code, output.startswith(f"restored {file}; the database is at ")) == (0, True)
    code, _, errors = trawl.run("restore", str(tmp_path / "none"))
    assert (code, errors) == (1, f"trawl: there is no {tmp_path / 'none'}")
