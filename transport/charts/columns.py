"""Draws columns side by side from zero, those that answer the question in the stronger colour."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from transport.charts.drawing import INNER, MARGIN, number, path, rectangle, text

HEIGHT = 190
LABEL_HEIGHT = 42  # of two lines below the columns
VALUE_HEIGHT = 24  # above the highest column
MIN_LABEL_PITCH = 42.0  # between two labels


@dataclass(frozen=True, slots=True)
class Column:
    """`labels` are up to two lines below the column, each with its data attribute."""

    value: int
    strong: bool
    labels: Sequence[tuple[str, dict[str, str | float]]] = field(default_factory=tuple)


def draw_columns(columns: Sequence[Column], top: float) -> str:
    """Draw columns; where they are narrow, only every second, third … has its value and labels."""
    floor = top + HEIGHT - LABEL_HEIGHT
    highest = max((column.value for column in columns), default=0)
    pitch = INNER / max(len(columns), 1)
    label_step = int(-(-MIN_LABEL_PITCH // pitch))
    parts = [path(f"M{MARGIN} {floor + 0.5}h{INNER}", "rule")]
    for index, column in enumerate(columns):
        height = (HEIGHT - LABEL_HEIGHT - VALUE_HEIGHT) * column.value / highest if highest else 0.0
        width = min(pitch * 0.72, 56.0)
        middle = MARGIN + pitch * (index + 0.5)
        kind = "mark" if column.strong else "other"
        parts.append(rectangle(middle - width / 2, floor - height, width, height, kind))
        if index % label_step == 0:
            parts.append(number(middle, floor - height - 6, column.value, "middle small"))
            parts += [
                text(middle, floor + 17 + 16 * line, label, "middle small dim", **meaning)
                for line, (label, meaning) in enumerate(column.labels)
            ]
    return "".join(parts)
