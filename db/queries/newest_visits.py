"""The newest live visits, and which parts there are beside them at the same moment, by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncpg import Connection

from db.sql import raw_statement

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

# A hash of the tokens of all parts, which are random: where two are equal, the parts are, which never change.
MOMENT = """
    SELECT
        (SELECT version FROM address_version) AS countries,
        (SELECT bit_xor(uuid_hash_extended(token, id)) FROM visit_part) AS parts
"""

Key = tuple[datetime, str]  # the time and id of a visit


@dataclass(frozen=True, slots=True)
class Moment:
    """What parts show at a moment. At two that are equal they show the same.

    :param countries: changes whenever the country of an address does
    :param parts: changes whenever a part comes or goes
    """

    countries: int
    parts: int


async def select_moment(raw: Connection) -> Moment:
    row = await raw.fetchrow(MOMENT)
    assert row is not None
    return Moment(row["countries"] or 0, row["parts"] or 0)


async def select_newest_live(
    raw: Connection, *, since: datetime, before: Key, limit: int
) -> tuple[Moment, list[Sequence[Any]]]:
    """Return the newest live visits of [since, before), as values of a Visit, and the moment they are of.

    All bounds are there, so that PostgreSQL plans the statement once, and not for each list.
    """
    sql, _ = raw_statement("visits/newest_live_visits")
    rows = await raw.fetch(sql, since, *before, limit)
    moment = Moment(rows[0]["countries"] or 0, rows[0]["parts"] or 0)
    return moment, [tuple(row)[2:] for row in rows if row["request_id"] is not None]
