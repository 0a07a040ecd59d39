"""Distributes the tests among processes: how many there are, and which files begin."""

import os

import pytest

# What takes longest begins first: else one process would be alone with it at the end.
LONGEST = (
    "tests/server/test_silent_database.py",  # half a minute of it is silence
    "tests/test_generated_clients.py",
    "tests/browser/",
    "tests/test_main.py",
    "tests/commands/",
    "tests/service/accounts/test_refresh.py",
    "tests/service/imports/",
    "tests/server/",
    "tests/service/visits/",
    "tests/embedded/",
    "tests/test_films_at_once.py",
    "tests/telemetry/test_metrics.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """Run two processes a core: a third of their time they wait for servers and commands that they start.

    More than eight have no use, for the longest file takes as long; each takes half a gigabyte.
    """
    return min(2 * len(os.sched_getaffinity(0)), 8)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((at for at, path in enumerate(LONGEST) if item.nodeid.startswith(path)), len(LONGEST))

    items.sort(key=rank)
