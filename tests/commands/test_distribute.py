"""`main.py distribute`, as far as it comes without a cluster; tests/cluster/ has the rest."""

import pytest

from commands.distribute import say_plan
from db.distribution import LocalTable, Worker
from tests.support.command_line import Command

WORKERS = [Worker("db-1", 5432), Worker("db-2", 5432)]


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_a_database_without_citus_is_refused_in_one_line(trawl: Command, option: list[str]) -> None:
    code, output, errors = trawl.run("distribute", *option)
    assert (code, output) == (1, "")
    assert errors == (
        "trawl: the database has no extension citus; docs/scaling.md tells how a cluster is set up"
    )


@pytest.mark.parametrize(
    ("tables", "plan"),
    [
        ([], "nothing to do: all is spread over db-1:5432, db-2:5432\n"),
        ([LocalTable("part_columns", 2_500_000)], "part_columns: 2.5 MB, over db-1:5432, db-2:5432\n"),
    ],
)
def test_the_plan_names_tables_their_sizes_and_where_they_go(
    capsys: pytest.CaptureFixture[str], tables: list[LocalTable], plan: str
) -> None:
    say_plan(tables, WORKERS)
    assert capsys.readouterr().out == plan
