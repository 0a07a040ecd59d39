"""Hours, days, weeks and months of a time zone, as statistics group by them."""

from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func


def time_groups(time: ColumnElement[Any], tz: str) -> dict[str, ColumnElement[Any]]:
    """Return the expressions by which a time is grouped, by name.

    Days, weeks and months are the date in `tz` on which they begin; weeks begin on Monday. An hour is the
    instant at which it begins, so one that the clock repeats is two.
    """
    local = func.timezone(tz, time)
    return {
        "hour": func.date_trunc("hour", time, tz),
        "day": cast(local, Date),
        "week": cast(func.date_trunc("week", local), Date),
        "month": cast(func.date_trunc("month", local), Date),
    }
