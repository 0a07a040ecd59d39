"""SQL kept in files beside this one, each named as the query that runs it."""

import re
from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

PARAMETER = re.compile(r"(?<!:):([a-z_0-9]+)")
FOLDER = Path(__file__).parent


@cache
def statement(name: str) -> TextClause:
    """Return the statement in `<name>.sql`, with named parameters."""
    return text((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


@cache
def raw_statement(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement in `<name>.sql` with asyncpg's placeholders, and the names of its parameters."""
    return raw_statement_of((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def raw_statement_of(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with asyncpg's placeholders for its named parameters, and their names."""
    names = tuple(dict.fromkeys(PARAMETER.findall(sql)))
    return PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", sql), names
