"""Draws a map of the world, on which a country is the darker the more visitors come from it.

The shapes in world.json are Natural Earth's (public domain), from the npm package world-atlas 2, 110 m,
projected to Natural Earth I, simplified, rounded to tenths. A country too small for a shape has a place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from transport.charts.drawing import attributes, escape_text, path

WORLD = Path(__file__).with_name("world.json")
FAINTEST = 0.25  # of the colour's opacity, so that a single visitor is visible
PLACE_RADIUS = 2.5


@dataclass(frozen=True, slots=True)
class World:
    """Countries by ISO code: `shapes` are SVG paths, `places` points. The origin is the upper left corner."""

    width: int
    height: int
    shapes: Mapping[str, str]
    places: Mapping[str, tuple[float, float]]


@cache
def load_world() -> World:
    return World(**json.loads(WORLD.read_text()))


@cache
def background() -> str:
    """Draw all land as one path. It is the same for every map, so it is made once."""
    return path("".join(load_world().shapes.values()), "land")


def world_map(values: Mapping[str, int], titles: Mapping[str, str], top: float) -> str:
    """Draw values by ISO code. The titles appear where a pointer rests on the countries."""
    world = load_world()
    highest = max(values.values(), default=0)
    parts = []
    for code, value in values.items():
        # The square root keeps countries visible: the first often has ten times the visitors of the second.
        strength = FAINTEST + (1 - FAINTEST) * (value / highest) ** 0.5 if highest else FAINTEST
        if code in world.shapes:
            parts.append(path(world.shapes[code], "mark", titles[code], fill_opacity=strength))
        elif code in world.places:
            x, y = world.places[code]
            place = attributes(cx=x, cy=y, r=PLACE_RADIUS, **{"class": "mark"}, fill_opacity=strength)
            parts.append(f"<circle{place}><title>{escape_text(titles[code])}</title></circle>")
    return f'<g transform="translate(0 {top})">{background()}{"".join(parts)}</g>'
