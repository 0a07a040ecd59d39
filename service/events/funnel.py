"""Counts the users who did steps one after the other."""

from collections.abc import Sequence

import numpy as np

from db.array_files import Array
from db.read_threads import Waiting
from db.unique import distinct_sorted
from service.events.columns import Events

HALF = 1 << 16  # numbers below it are sorted by their digits


def count_steps(events: Events, steps: Sequence[str], within: int, waiting: Waiting) -> list[int]:
    """Count the users who did the first of the steps, the first two in this order, and so on.

    Each step comes after the one before, and at most `within` microseconds after the first. For each event
    the latest first step is known from which all steps before were done before this event: where even that
    is too long ago, all earlier ones are too.
    """
    user, occurred, step_type = events_of_steps(events, steps, waiting)
    rows = np.arange(len(user))
    begin_of_user = first_of_run(user[1:] != user[:-1], rows)
    begin_of_moment = first_of_run((user[1:] != user[:-1]) | (occurred[1:] != occurred[:-1]), rows)
    start, counts = rows, []
    for step in steps:
        waiting.check()
        does = step_type == (events.types.index(step) if step in events.types else -1)
        is_started = start >= 0
        # Rows of one user are in order of time: the latest start is the one in the highest row.
        in_time = does & is_started & (occurred - occurred[np.where(is_started, start, 0)] <= within)
        counts.append(len(distinct_sorted(user[in_time])))
        latest = np.maximum.accumulate(np.where(does, start, -1)) if len(rows) else rows
        before = np.where(begin_of_moment > 0, latest[begin_of_moment - 1], -1) if len(rows) else rows
        start = np.where(before >= begin_of_user, before, -1)
    return counts


def first_of_run(begins: Array, rows: Array) -> Array:
    """Return the first row of the run that each row is in; a run begins in the row after a True."""
    first = np.zeros(len(rows), np.int64)
    first[1:] = np.where(begins, rows[1:], 0)
    return np.maximum.accumulate(first) if len(rows) else first


def events_of_steps(events: Events, steps: Sequence[str], waiting: Waiting) -> tuple[Array, Array, Array]:
    """Return users, times and types of the events that are steps, by user and time."""
    is_step = np.array([name in steps for name in events.types], np.bool_)
    users, times, types = [np.empty(0, np.int32)], [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    for block in events.blocks(waiting):
        rows = np.flatnonzero(is_step[block.type])
        users.append(block.user[rows])
        times.append(block.occurred[rows])
        types.append(block.type[rows])
    user, occurred, step_type = np.concatenate(users), np.concatenate(times), np.concatenate(types)
    if not (occurred[1:] >= occurred[:-1]).all():
        by_time = np.argsort(occurred, kind="stable")
        user, occurred, step_type = user[by_time], occurred[by_time], step_type[by_time]
    waiting.check()
    order = stable_order(user)
    return user[order], occurred[order], step_type[order]


def stable_order(numbers: Array) -> Array:
    """Return the order of numbers from 0, keeping that of equal ones: numpy sorts 16 bits fast."""
    order = np.argsort((numbers % HALF).astype(np.uint16), kind="stable")
    if len(numbers) and numbers.max() >= HALF:
        order = order[np.argsort((numbers // HALF).astype(np.uint16)[order], kind="stable")]
    return order
