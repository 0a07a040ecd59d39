"""Counts that workers share."""

import multiprocessing
from multiprocessing.connection import Connection

from server.shared_counts import SharedCounts


def test_a_count_is_the_sum_of_all_workers() -> None:
    table = SharedCounts(3)
    rows = [table.row(number) for number in (1, 2, 3)]
    assert [row.add("a", 2) for row in rows] == [2, 4, 6]
    assert rows[1].add("b", 5) == 5
    assert rows[0].add("a", -1) == 5
    assert [row.largest() for row in rows] == [1, 5, 2]


def test_a_worker_that_takes_a_dead_ones_place_begins_anew() -> None:
    table = SharedCounts(2)
    table.row(1).add("a", 7)
    other = table.row(2)
    assert other.add("a", 1) == 8
    table.row(1)
    assert other.add("a", 1) == 2


def count_in_child(table: SharedCounts, counts: Connection) -> None:
    row = table.row(2)
    counts.send(row.add("a", 3))
    counts.recv()
    counts.send(row.add("a", 0))


def test_forked_processes_see_each_others_counts() -> None:
    table = SharedCounts(2)
    row = table.row(1)
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(target=count_in_child, args=(table, there))
    child.start()
    assert here.recv() == 3
    assert row.add("a", 4) == 7
    here.send(None)
    assert here.recv() == 7
    child.join()
    here.close()
    there.close()
