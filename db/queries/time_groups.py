"""Hours, days, weeks and months of a time zone, as statistics group by them."""

from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func


def time_groups(time: ColumnElement[Any], tz: str) -> dict[str, ColumnElement[Any]]:
    """Return the SQL expressions to group a time by: hour, day, week and month.

    A day, a week (from Monday) or a month is the date in `tz` on which it begins. An hour is the instant at
    which it begins, so the hour that a change of clocks repeats makes two groups.
    """
    local = func.timezone(tz, time)
    return {
        "hour": func.date_trunc("hour", time, tz),
        "day": cast(local, Date),
        "week": cast(func.date_trunc("week", local), Date),
        "month": cast(func.date_trunc("month", local), Date),
    }
