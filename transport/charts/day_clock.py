"""Draws a clock of 24 hours: a wedge an hour, as large as its views; the busiest hours stand out."""

from collections.abc import Sequence
from math import cos, pi, sin

from transport.charts.drawing import path, text

RADIUS = 92.0
HUB = 22.0
GAP = 0.012  # radians between a wedge and the border of its hour
LABELLED_HOURS = (0, 6, 12, 18)


def day_clock(hours: Sequence[int], strong: range, x: float, y: float) -> str:
    """Draw 24 counts around (x, y), clockwise from midnight at the top; the hours in `strong` stand out."""
    highest = max(hours, default=0)
    parts = [f'<circle class="rule" cx="{x}" cy="{y}" r="{RADIUS}"/>']
    for hour, views in enumerate(hours):
        # The area stands for the count, so the radius grows by its square root.
        share = views / highest if highest else 0.0
        radius = (HUB**2 + (RADIUS**2 - HUB**2) * share) ** 0.5
        kind = "mark" if hour in strong else "other"
        parts.append(path(wedge(hour, radius, x, y), kind, f"{hour:02}:00, {views:,}"))
    for hour in LABELLED_HOURS:
        angle = 2 * pi * hour / 24
        parts.append(
            text(
                x + (RADIUS + 14) * sin(angle),
                y - (RADIUS + 14) * cos(angle) + 4.5,
                f"{hour:02}",
                "dim small middle",
            )
        )
    return "".join(parts)


def wedge(hour: int, outer: float, x: float, y: float) -> str:
    """Return the path of an hour's piece of the ring between the hub and the radius `outer`."""
    begin, end = 2 * pi * hour / 24 + GAP, 2 * pi * (hour + 1) / 24 - GAP
    corners = [
        f"{x + radius * sin(angle):.1f} {y - radius * cos(angle):.1f}"
        for radius, angle in ((HUB, begin), (outer, begin), (outer, end), (HUB, end))
    ]
    return (
        f"M{corners[0]}L{corners[1]}A{outer:.1f} {outer:.1f} 0 0 1 {corners[2]}"
        f"L{corners[3]}A{HUB} {HUB} 0 0 0 {corners[0]}Z"
    )
