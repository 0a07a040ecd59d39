"""Draws paid and unpaid carts as a ring, with the share of unpaid ones in its middle."""

from math import cos, pi, sin

from transport.charts.drawing import number, path, rectangle, share, word

OUTER, INNER_RADIUS = 92.0, 64.0
LEGEND = 262


def cart_ring(carts: int, paid: int, unpaid: int, x: float, y: float) -> str:
    """Draw the ring around (x, y), and its legend."""
    unpaid_share = unpaid / carts if carts else 0.0
    return (
        whole_ring(x, y)
        + arc(unpaid_share, x, y)
        + share(x, y + 6, unpaid_share, "big middle")
        + word(x, y + 28, "unpaid", "dim small middle")
        + rectangle(LEGEND, y - 42, 13, 13, "mark")
        + legend(y - 30, "unpaid", unpaid, " strong")
        + rectangle(LEGEND, y - 8, 13, 13, "other")
        + legend(y + 4, "paid", paid)
        + path(f"M{LEGEND} {y + 18}H464", "rule")
        + legend(y + 38, "carts", carts)
    )


def legend(y: float, name: str, count: int, weight: str = "") -> str:
    return word(LEGEND + 24, y, name, weight.strip()) + number(464, y, count, f"end{weight}")


def whole_ring(x: float, y: float) -> str:
    circles = "".join(
        f"M{x} {y - radius}a{radius} {radius} 0 1 1 0 {2 * radius}a{radius} {radius} 0 1 1 0 {-2 * radius}z"
        for radius in (OUTER, INNER_RADIUS)
    )
    return path(circles, "other", fill_rule="evenodd")


def arc(length: float, x: float, y: float) -> str:
    """Draw a part of the ring, clockwise from the top. `length` is a share of the whole, from 0 to 1."""
    if not length:
        return ""
    # A whole turn would end where it begins, which is not an arc.
    turn = 2 * pi * min(length, 0.9999)
    long = int(turn > pi)
    (a, b), (c, d) = [(x + radius * sin(turn), y - radius * cos(turn)) for radius in (OUTER, INNER_RADIUS)]
    return path(
        f"M{x} {y - OUTER}A{OUTER} {OUTER} 0 {long} 1 {a:.2f} {b:.2f}"
        f"L{c:.2f} {d:.2f}A{INNER_RADIUS} {INNER_RADIUS} 0 {long} 0 {x} {y - INNER_RADIUS}Z",
        "mark",
    )
