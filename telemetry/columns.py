"""Metrics of the cache of decoded columns."""

from typing import Literal

from telemetry.metrics import current

ColumnRead = Literal["mapped", "decoded"]


def count_column_read(way: ColumnRead) -> None:
    """Count a part that was taken from a file, or decoded from what PostgreSQL holds."""
    current().column_reads.labels(way).inc()


_sizes: dict[str, int] = {}


def set_column_cache_bytes(form: str, size: int) -> None:
    """Tell how much the files of a form take."""
    _sizes[form] = size
    current().column_cache.set(sum(_sizes.values()))
