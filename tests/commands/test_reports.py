"""Imports and reports on the command line, as people and programs read them."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.support.command_line import Command
from tests.support.shop_lines import LINES, LOG, one_line


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    path.write_text(LOG)
    return path


def test_import_takes_files_packed_files_and_standard_input_each_line_once(
    trawl: Command, log: Path, tmp_path: Path
) -> None:
    gzipped = tmp_path / "packed.log.gz"
    more = LINES[0].replace("YQ3J8G5A", "ZZZZZZZZ")
    gzipped.write_bytes(gzip.compress((LOG + more).encode()))
    code, output, errors = trawl.run("import", str(log), str(gzipped), "-", text=LOG.rstrip("\n"))
    assert code == 0
    first, second, third = output.splitlines()
    assert first.startswith("shop.log: 5 lines: 4 imported, 0 duplicates, 1 rejected (")
    assert second.startswith("packed.log.gz: 6 lines: 1 imported, 4 duplicates, 1 rejected (")
    assert third.startswith("-: 5 lines: 0 imported, 4 duplicates, 1 rejected (")
    assert [line.partition(": ")[0] for line in errors.splitlines()] == [
        "shop.log:5",
        "packed.log.gz:5",
        "-:5",
    ]


def test_a_missing_file_is_reported_in_one_line_and_the_others_are_imported(
    trawl: Command, log: Path
) -> None:
    code, output, errors = trawl.run("import", "no-such.log", str(log))
    assert code == 1
    missing, rejected = errors.splitlines()
    assert re.match("trawl: no-such.log: .*No such file", missing)
    assert rejected.startswith("shop.log:5: ")
    assert "4 imported" in output


def test_report_prints_a_table_or_the_response_body(trawl: Command, log: Path) -> None:
    assert trawl.run("import", str(log))[0] == 0
    code, output, errors = trawl.run("report", "3")
    assert (code, errors) == (0, "")
    assert output.startswith("At what time of day is frozen_fish viewed most? day\n")
    assert re.search(r"day +12 +18 +2 *$", output, re.MULTILINE)
    assert re.search(r"hour +views *\n(?: +\d\d +\d+ *\n){24}", output)
    code, output, _ = trawl.run("report", "3", "category=fresh_fish", "tz=Asia/Tokyo", "--json")
    assert code == 0
    body = json.loads(output)
    assert (body["report"], body["answer"], body["parameters"]["tz"]) == (3, "day", "Asia/Tokyo")
    assert body["as_of"] == "2018-08-01T14:01:38Z"
    code, output, _ = trawl.run("report", "4", "limit=1", "--csv")
    assert (code, output) == (0, "hour,requests\n2018-08-01T00:00:00Z,1\n")


def test_a_wrong_parameter_of_a_report_exits_with_2(trawl: Command) -> None:
    for parameter, words in {
        "limit=0": ["limit", "1 to 1000"],
        "colour=red": ["colour is not a parameter", "limit, metric, source"],
        "limit": ["limit", "NAME=VALUE"],
    }.items():
        code, output, errors = trawl.run("report", "1", parameter)
        assert (code, output) == (2, "")
        assert all(word in errors.splitlines()[-1] for word in words), errors


@pytest.mark.slow
def test_the_csv_of_an_empty_report_has_the_header_of_a_filled_one(trawl: Command, log: Path) -> None:
    commands = [("report", *words, "--csv") for words in (("1",), ("4",), ("6",), ("1", "metric=visitors"))]
    empty = [trawl.run(*command)[1].splitlines()[0] for command in commands]
    assert trawl.run("import", str(log))[0] == 0
    assert [trawl.run(*command)[1].splitlines()[0] for command in commands] == empty
    assert empty[-1] == "country,name,visitors,share"


def test_an_unknown_category_of_a_report_names_those_there_are(trawl: Command, log: Path) -> None:
    assert trawl.run("report", "2", "category=fish")[0] == 0  # no category yet, and so no wrong one
    assert trawl.run("import", str(log))[0] == 0
    code, output, errors = trawl.run("report", "2", "category=fish")
    assert (code, output) == (1, "")
    assert one_line(errors) == "trawl: no category fish; there are fresh_fish, frozen_fish"


def test_a_default_category_that_a_shop_does_not_have_is_told_beside_the_answer(
    trawl: Command, log: Path
) -> None:
    assert trawl.run("import", str(log))[0] == 0
    code, output, errors = trawl.run("report", "5", "--json")
    assert (code, json.loads(output)["answer"]) == (0, None)
    assert one_line(errors) == "trawl: no category semi_manufactures; there are fresh_fish, frozen_fish"


def test_a_file_that_was_read_before_has_nothing_new(trawl: Command, log: Path) -> None:
    assert trawl.run("import", str(log))[0] == 0
    code, output, _ = trawl.run("import", str(log))
    assert (code, output) == (0, "shop.log: nothing new\n")


def test_an_import_tells_programs_how_it_ended(trawl: Command, log: Path) -> None:
    code, output, _ = trawl.run("import", "--json", str(log), "no-such.log")
    imported, missing = map(json.loads, output.splitlines())
    assert code == 1
    assert (imported["name"], imported["status"], imported["imported"]) == ("shop.log", "done", 4)
    assert (missing["name"], missing["status"]) == ("no-such.log", "failed")


@pytest.mark.slow
def test_an_import_of_mostly_rejects_is_told_by_the_exit_code(trawl: Command, log: Path) -> None:
    log.write_text(LOG + "another\nand another\nand one more\n")
    assert trawl.run("import", str(log))[0] == 0  # half of the lines, and no more
    log.write_text("another\n" * 4 + LOG)
    assert trawl.run("import", "--dry-run", str(log))[0] == 3
    assert trawl.run("import", str(log))[0] == 3
