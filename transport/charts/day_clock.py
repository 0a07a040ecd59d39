"""A clock of 24 hours: a wedge an hour, as large as its views; the busiest part of the day stands out."""

from collections.abc import Sequence
from math import cos, pi, sin

from transport.charts.drawing import path, text

RADIUS = 92.0
HUB = 22.0
GAP = 0.012  # radians left free on both sides of a wedge
MARKED_HOURS = (0, 6, 12, 18)


def day_clock(hours: Sequence[int], strong: range, x: float, y: float) -> str:
    """`hours`: 24 counts. Midnight is at the top, the hours run as a clock's do."""
    most = max(hours, default=0)
    parts = [f'<circle class="rule" cx="{x}" cy="{y}" r="{RADIUS}"/>']
    for hour, views in enumerate(hours):
        # The area tells the count, so the radius grows by its square root.
        share = views / most if most else 0.0
        reach = (HUB**2 + (RADIUS**2 - HUB**2) * share) ** 0.5
        kind = "mark" if hour in strong else "other"
        parts.append(path(wedge(hour, reach, x, y), kind, f"{hour:02}:00, {views:,}"))
    for hour in MARKED_HOURS:
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


def wedge(hour: int, reach: float, x: float, y: float) -> str:
    """The piece of the ring between the hub and `reach`."""
    begin, end = 2 * pi * hour / 24 + GAP, 2 * pi * (hour + 1) / 24 - GAP
    corners = [
        f"{x + radius * sin(angle):.1f} {y - radius * cos(angle):.1f}"
        for radius, angle in ((HUB, begin), (reach, begin), (reach, end), (HUB, end))
    ]
    return (
        f"M{corners[0]}L{corners[1]}A{reach:.1f} {reach:.1f} 0 0 1 {corners[2]}"
        f"L{corners[3]}A{HUB} {HUB} 0 0 0 {corners[0]}Z"
    )
