"""Pages of events hold what the filter leaves, newest first and each once, however they are searched."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from db.database import Database
from db.models import Event
from db.queries.event_pages import Key, select_events
from db.queries.event_rows import select_event_rows
from db.queries.events import EventFilter
from tests.support.examples import examples

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
# Some lie close together and some far apart, so that windows are too long, too short and empty.
MINUTES = st.sampled_from((0, 0, 1, 2, 3, 5, 60, 61, 1500, 1501, 90_000, 2_000_000))
VALUES: tuple[Any, ...] = ("pro", 1, 1.0, "1", True, None, [1], [1, 2], {"a": 1}, {"a": 1, "b": 2})
FILTERS: tuple[tuple[Any, ...], ...] = (("pro",), ("1", 1), ([1],), ({"a": 1},), (None,), (True,), ("none",))


@dataclass(frozen=True)
class FilterCase:
    """A filter, and the same in Python."""

    filter: EventFilter
    passes: Callable[[Event], bool]


def same(one: Any, other: Any) -> bool:
    """Whether JSON values are equal: for Python, True is 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    properties = st.dictionaries(st.sampled_from(("p", "q")), st.sampled_from(VALUES))
    events = st.builds(
        lambda minutes, user_id, event_type, properties: Event(
            event_id=uuid.uuid4(),
            occurred_at=NOON - timedelta(minutes=minutes),
            user_id=user_id,
            event_type=event_type,
            properties=properties,
        ),
        MINUTES,
        st.integers(1, 2),
        st.sampled_from(("view", "cart")),
        properties,
    )
    return draw(st.lists(events, max_size=25))


@st.composite
def filters(draw: st.DrawFn) -> FilterCase:
    ends = sorted(draw(st.lists(MINUTES, min_size=2, max_size=2)), reverse=True)
    since, until = (
        None if draw(st.booleans()) else NOON - timedelta(minutes=minutes - later)
        for later, minutes in enumerate(ends)
    )
    user_id = draw(st.none() | st.integers(1, 2))
    event_type = draw(st.sampled_from((None, None, "view")))
    properties = draw(st.dictionaries(st.sampled_from(("p", "q")), st.sampled_from(FILTERS)))

    def passes(event: Event) -> bool:
        return (
            (since is None or event.occurred_at >= since)
            and (until is None or event.occurred_at < until)
            and user_id in (None, event.user_id)
            and event_type in (None, event.event_type)
            and all(
                name in event.properties and any(same(event.properties[name], value) for value in values)
                for name, values in properties.items()
            )
        )

    where = EventFilter(
        user_id=user_id, event_type=event_type, since=since, until=until, properties=properties
    )
    return FilterCase(where, passes)


async def select_page(
    db: Database, where: EventFilter, after: Key | None, offset: int, *, limit: int, sample: int
) -> Sequence[Any]:
    if not where.properties:
        async with db.raw() as raw:
            return await select_event_rows(raw, where, after=after, limit=limit, offset=offset)
    async with db.transaction() as session:
        return await select_events(session, where, after=after, limit=limit, offset=offset, sample=sample)


@given(
    events=event_lists(),
    cases=st.lists(filters(), min_size=3, max_size=3),
    sizes=st.fixed_dictionaries({"sample": st.integers(1, 12), "limit": st.integers(1, 6)}),
    offset=st.integers(0, 3),
)
@settings(max_examples=examples(45), deadline=None, suppress_health_check=list(HealthCheck))
async def test_pages_agree_with_a_sorted_list(
    committed_db: Database, events: list[Event], cases: list[FilterCase], sizes: dict[str, int], offset: int
) -> None:
    columns = ("event_id", "occurred_at", "user_id", "event_type", "properties")
    async with committed_db.transaction() as session:
        await session.execute(delete(Event))
        if events:
            rows = [{name: getattr(event, name) for name in columns} for event in events]
            await session.execute(insert(Event), rows)
    newest_first = sorted(events, key=lambda event: (event.occurred_at, event.event_id), reverse=True)
    for case in cases:
        expected = [event.event_id for event in newest_first if case.passes(event)]
        event_ids, after, skip = list[uuid.UUID](), None, offset
        for _ in range(len(events) + 1):
            page = await select_page(committed_db, case.filter, after, skip, **sizes)
            event_ids += [row.event_id for row in page]
            if len(page) < sizes["limit"]:
                break
            after, skip = (page[-1].occurred_at, page[-1].event_id), 0
        assert event_ids == expected[offset:]
