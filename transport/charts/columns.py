"""Columns side by side from zero, the ones that answer the question in the stronger colour."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from transport.charts.drawing import INNER, MARGIN, number, path, rectangle, text

HEIGHT = 190
LABELS = 42  # height below the columns for two lines of labels
ROOM = 24  # height above the highest for its value
NARROWEST_LABEL = 42.0  # a label and a value need so much


@dataclass(frozen=True, slots=True)
class Column:
    """`labels` are up to two lines below it, each with its data attribute."""

    value: int
    strong: bool
    labels: Sequence[tuple[str, dict[str, str | float]]] = field(default_factory=tuple)


def columns(shown: Sequence[Column], top: float) -> str:
    floor = top + HEIGHT - LABELS
    highest = max((column.value for column in shown), default=0)
    pitch = INNER / max(len(shown), 1)
    every = int(-(-NARROWEST_LABEL // pitch))
    parts = [path(f"M{MARGIN} {floor + 0.5}h{INNER}", "rule")]
    for index, column in enumerate(shown):
        height = (HEIGHT - LABELS - ROOM) * column.value / highest if highest else 0.0
        width = min(pitch * 0.72, 56.0)
        middle = MARGIN + pitch * (index + 0.5)
        kind = "mark" if column.strong else "other"
        parts.append(rectangle(middle - width / 2, floor - height, width, height, kind))
        if index % every == 0:
            parts.append(number(middle, floor - height - 6, column.value, "middle small"))
            parts += [
                text(middle, floor + 17 + 16 * line, label, "middle small dim", **meaning)
                for line, (label, meaning) in enumerate(column.labels)
            ]
    return "".join(parts)
