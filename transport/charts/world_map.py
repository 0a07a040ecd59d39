"""The world, its countries the darker the more visitors come from them.

The shapes are those of world.json: Natural Earth (public domain), from the npm package world-atlas 2, 110 m,
projected to Natural Earth I, simplified, rounded to tenths. Countries too small for a shape are places there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from transport.charts.drawing import attributes, clean, path

WORLD = Path(__file__).with_name("world.json")
FAINTEST = 0.25  # of the colour, so that one visitor shows
PLACE_RADIUS = 2.5


@dataclass(frozen=True, slots=True)
class World:
    """Paths, and the places of the smaller ones, by ISO code. Its origin is the upper left corner."""

    width: int
    height: int
    shapes: Mapping[str, str]
    places: Mapping[str, tuple[float, float]]


@cache
def load_world() -> World:
    return World(**json.loads(WORLD.read_text()))


@cache
def background() -> str:
    """All the land in one path, drawn once."""
    return path("".join(load_world().shapes.values()), "land")


def world_map(values: Mapping[str, int], titles: Mapping[str, str], top: float) -> str:
    """Countries by their ISO code; titles are told where a pointer rests on them."""
    world = load_world()
    most = max(values.values(), default=0)
    parts = []
    for code, value in values.items():
        # By the square root: areas are compared, and the first country often has ten times the second's.
        strength = FAINTEST + (1 - FAINTEST) * (value / most) ** 0.5 if most else FAINTEST
        if code in world.shapes:
            parts.append(path(world.shapes[code], "mark", titles[code], fill_opacity=strength))
        elif code in world.places:
            x, y = world.places[code]
            place = attributes(cx=x, cy=y, r=PLACE_RADIUS, **{"class": "mark"}, fill_opacity=strength)
            parts.append(f"<circle{place}><title>{clean(titles[code])}</title></circle>")
    return f'<g transform="translate(0 {top})">{background()}{"".join(parts)}</g>'
