"""What roll-ups count of visits in parts, when some of these are deleted."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from db.columns import Values
from db.database import Transaction
from db.locks import lock_writers_exclusive
from db.queries import live_merges, merged_visits
from db.queries.address_countries import AddressCountries
from db.queries.part_columns import LOG, Columns, PartSpan, select_part_spans
from db.queries.part_removal import (
    add_visits_of_days,
    count_columns,
    days_of,
    delete_rollups_of_days,
    select_visits,
    subtract_from_rollups,
)
from db.queries.visits import subtract_page_views
from service.visits.pages import is_bare_path


async def select_neighbours(session: Transaction, spans: Sequence[PartSpan]) -> list[PartSpan] | None:
    """Return the parts of logs that stay, and that may have visits of the same days (UTC) as parts that go.

    None where counting the visits of those anew costs more than taking these away: where they are more. Live
    visits are counted with rows that are in no part.
    """
    if spans[0].source != LOG:
        return None
    since, until = days_of(spans)
    going = {span.id for span in spans}
    overlapping = await select_part_spans(session, since=since, until=until)
    staying = [span for span in overlapping if span.source == LOG and span.id not in going]
    is_less = sum(span.visits for span in staying) < sum(span.visits for span in spans)
    return staying if is_less else None


async def remove_from_rollups(
    session: Transaction, spans: Sequence[PartSpan], countries: AddressCountries
) -> None:
    """Take visits of parts of one source away from what they are counted in. The caller holds the lock of
    parts, and deletes these.

    Where the parts that stay have fewer visits of the same days, those are counted anew, and none if the days
    are those of one import alone.
    """
    neighbours = await select_neighbours(session, spans)
    if neighbours is None:
        await subtract_counts(session, await select_visits(session, spans), countries, spans[0].source)
    else:
        since, until = days_of(spans)
        await delete_rollups_of_days(session, since, until)
        if neighbours:
            visits = await select_visits(session, neighbours)
            await add_visits_of_days(session, visits, countries, since=since, until=until)


async def subtract_counts(
    session: Transaction, visits: Columns, countries: AddressCountries, source: str
) -> None:
    """Take deleted visits away from roll-ups; live ones from their pages' counts too, and their ids."""
    is_live = source != LOG
    if is_live:
        await live_merges.delete_merged_visits(session, visits["request_id"].view("S16"))
    counted = await count_columns(session, visits, countries)
    if is_live:
        views = await count_page_views(session, visits["page_id"])
        await lock_writers_exclusive(session)  # they write the same rows
        await subtract_from_rollups(session, counted, source)
        await subtract_page_views(session, views)
    else:
        await subtract_from_rollups(session, counted, source)


async def count_page_views(session: Transaction, page_ids: Values) -> dict[str, int]:
    """Return how many visits each page has that is named by its path."""
    ids, counts = np.unique(page_ids[page_ids > 0], return_counts=True)
    urls = await merged_visits.select_pages_of_visits(session, ids.tolist())
    views: Counter[str] = Counter()
    for page_id, count in zip(ids.tolist(), counts.tolist(), strict=True):
        if is_bare_path(urls[page_id]):  # several pages may have one URL
            views[urls[page_id]] += count
    return views
