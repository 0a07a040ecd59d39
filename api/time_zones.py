"""The one table of time zones: that of the tzdata package, whatever else this machine has."""

from functools import cache
from importlib.resources import files

import tzdata

PLACEHOLDER = "Factory"  # in the table for machines whose zone nobody has set


@cache
def time_zone_names() -> frozenset[str]:
    """Return all names of the table."""
    names = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {PLACEHOLDER}


def zones_version() -> str:
    """Return the version of the IANA table, such as 2026a."""
    return str(tzdata.IANA_VERSION)


def is_time_zone(name: str) -> bool:
    """Return whether the table has the name. Files beside it (`localtime`, `posix/UTC`) are none."""
    return name in time_zone_names()
