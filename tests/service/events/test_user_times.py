"""Events of users by time are those that plain Python counts, however users are sorted and times are cut."""

from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.event_parts import make_columns
from db.queries.events import EventFilter
from db.read_threads import Waiting
from service.events import user_times
from service.events.columns import Events
from service.events.dimensions import dimension
from time_slices import HOUR

SINCE = 20_000 * 24 * HOUR


@pytest.mark.parametrize(
    "bounds", [(1 << 16, 2, 1 << 20, 3), (0, 0, 1, 1), (1 << 16, 0, 7, 2), (0, 1, 3, 9), (0, 0, 1, 9)]
)
@example(parts=[[(0, 1)] * 6 + [(1, 1)] * 4], need=1)  # too few to be as many as one user's before
@given(
    parts=st.lists(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=40),
        min_size=1,
        max_size=4,
    ),
    need=st.none() | st.integers(1, 8),
)
def test_the_most_frequent_users_of_times_are_counted(
    bounds: tuple[int, int, int, int], parts: list[list[tuple[int, int]]], need: int | None
) -> None:
    """A part has users at hours, which overlap those of other parts."""
    columns = []
    for part in parts:
        occurred = np.sort(np.array([hour * HOUR + SINCE for hour, _ in part]))
        users = np.array([user for _, user in sorted(part, key=lambda row: row[0])])
        columns.append(make_columns(occurred, users, ["a"], np.zeros(len(part), np.int32)))
    events = Events(
        [(part, part.users.astype(np.int32)) for part in columns],
        EventFilter(),
        np.arange(10),
        ["a"],
        None,
        None,
    )
    expected = Counter((SINCE + hour * HOUR, user) for part in parts for hour, user in part)
    waiting = Waiting()
    times = dimension(events, "hour", "UTC", waiting)
    short, sparse, some, often = bounds
    with (
        patch.object(user_times, "SHORT", short),
        patch.object(user_times, "SPARSE", sparse),
        patch.object(user_times, "EVENTS", some),
        patch.object(user_times, "OFTEN", often),
    ):
        groups, users, counts = user_times.count_user_times(events, times, waiting, need)
    labels = times.labels[groups.astype(np.int64)] if len(groups) else groups
    pairs = list(zip(labels.tolist(), users.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    sums = dict(zip(pairs, counts.tolist(), strict=True))
    assert sums.items() <= expected.items()
    least = 1 if need is None else min([count for _, count in expected.most_common(need)], default=0)
    assert {pair: count for pair, count in sums.items() if count >= least} == {
        pair: count for pair, count in expected.items() if count >= least
    }
