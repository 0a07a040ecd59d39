"""Draws the plot of each report. `top` is the y at which it begins, below the question and the answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transport.charts.bars import Bar, ranked_bars
from transport.charts.cart_ring import cart_ring
from transport.charts.columns import HEIGHT as COLUMN_HEIGHT
from transport.charts.columns import Column, draw_columns
from transport.charts.day_clock import day_clock
from transport.charts.drawing import (
    BAR_ROW,
    MARGIN,
    WIDTH,
    local_time,
    number,
    percent,
    rectangle,
    text,
    word,
)
from transport.charts.world_map import load_world, world_map

Result = Mapping[str, Any]
CLOCK_HEIGHT = 240
BOTTOM = 10


@dataclass(frozen=True, slots=True)
class Plot:
    svg: str
    height: float


def countries(result: Result, top: float) -> Plot:
    rows = result["rows"]
    measure = "visitors" if "visitors" in rows[0] else "requests"
    values = {row["country"]: row[measure] for row in rows}
    titles = {row["country"]: f"{row['name']}: {row[measure]:,}" for row in rows}
    bars = [
        Bar(
            row["name"],
            row[measure],
            percent(row["share"]),
            {"country": row["country"]},
            {"share": row["share"]},
        )
        for row in rows
    ]
    height = load_world().height + 14
    return Plot(
        world_map(values, titles, top) + ranked_bars(bars, top + height),
        height + len(bars) * BAR_ROW + BOTTOM,
    )


def times_of_day(result: Result, top: float) -> Plot:
    rows = result["rows"]
    busiest = rows[0]
    middle = top + CLOCK_HEIGHT / 2 - 6
    strong = range(busiest["from_hour"], busiest["to_hour"])
    legend = "".join(
        draw_part_of_day(row, middle - 70 + 46 * index, strong=index == 0) for index, row in enumerate(rows)
    )
    return Plot(day_clock(busiest["hours"], strong, 128, middle) + legend, CLOCK_HEIGHT)


def draw_part_of_day(row: Mapping[str, Any], y: float, *, strong: bool) -> str:
    weight = " strong" if strong else ""
    hours = f"{row['from_hour']:02}\N{EN DASH}{row['to_hour']:02}"
    return (
        rectangle(272, y - 11, 13, 13, "mark" if strong else "other")
        + word(296, y, row["part_of_day"], weight.strip())
        + text(296, y + 17, hours, "dim small")
        + number(WIDTH - MARGIN, y, row["views"], f"end{weight}")
    )


def busiest_hours(result: Result, top: float) -> Plot:
    zone, rows = result["parameters"]["tz"], result["rows"]
    ranked = [(row["hour"], hour_column(row, zone, strong=index == 0)) for index, row in enumerate(rows)]
    return column_plot([column for _, column in sorted(ranked, key=lambda pair: pair[0])], top)


def hour_column(row: Mapping[str, Any], zone: str, *, strong: bool) -> Column:
    instant = row["hour"]
    local = local_time(instant, zone)
    labels = ((f"{local:%H:%M}", {"hour": instant}), (f"{local:%m-%d}", {"day": instant}))
    return Column(row["requests"], strong, labels)


def bought_together(result: Result, top: float) -> Plot:
    rows = result["rows"]
    bars = [
        Bar(
            row["category"],
            row["carts"],
            percent(row["confidence"]),
            {"category": row["category"]},
            {"share": row["confidence"]},
        )
        for row in rows
    ]
    return Plot(ranked_bars(bars, top), len(bars) * BAR_ROW + BOTTOM)


def unpaid_carts(result: Result, top: float) -> Plot:
    row = result["rows"][0]
    middle = top + CLOCK_HEIGHT / 2 - 14
    return Plot(cart_ring(row["carts"], row["paid"], row["unpaid"], 128, middle), CLOCK_HEIGHT - 16)


def repeat_purchases(result: Result, top: float) -> Plot:
    columns = [
        Column(row["users"], row["purchases"] > 1, ((f"{row['purchases']}\N{MULTIPLICATION SIGN}", {}),))
        for row in sorted(result["rows"], key=lambda row: row["purchases"])
    ]
    return column_plot(columns, top)


def column_plot(columns: Sequence[Column], top: float) -> Plot:
    return Plot(draw_columns(columns, top), COLUMN_HEIGHT + BOTTOM)


PLOTS: dict[int, Callable[[Result, float], Plot]] = {
    1: countries,
    2: countries,
    3: times_of_day,
    4: busiest_hours,
    5: bought_together,
    6: unpaid_carts,
    7: repeat_purchases,
}
