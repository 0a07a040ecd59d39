"""SQL kept in files beside this one, each named as the query that runs it."""

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

FOLDER = Path(__file__).parent


@cache
def statement(name: str) -> TextClause:
    """The statement in `<name>.sql`."""
    return text((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))
