"""Made-up visits and events of a shop's last four weeks, the same every time but for the day it is."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

DAYS = 28
USERS = 700
STEPS = ("view", "cart", "checkout", "purchase")
GOES_ON = 0.6  # the chance that a user takes the next step
PAGES = (
    "https://shop.example/fresh_fish/",
    "https://shop.example/fresh_fish/salmon/",
    "https://shop.example/caviar/",
    "https://shop.example/canned_food/sardines/",
    "/about",
)


def make_events(chance: random.Random, now: datetime) -> list[dict[str, Any]]:
    """Users come for the first time on some day, and again on later ones, ever more rarely."""
    return [
        event
        for user in range(1, USERS + 1)
        for day in days_of(chance)
        for event in session_of(chance, user, now - timedelta(days=DAYS - day, hours=chance.uniform(1, 12)))
    ]


def days_of(chance: random.Random) -> Iterator[int]:
    first = chance.randrange(DAYS)
    yield first
    for day in range(first + 1, DAYS):
        if chance.random() < 0.4 * 0.9 ** (day - first):
            yield day


def session_of(chance: random.Random, user: int, time: datetime) -> Iterator[dict[str, Any]]:
    for step in STEPS:
        yield event_of(chance, user, step, time)
        time += timedelta(seconds=chance.randrange(5, 300))
        if chance.random() > GOES_ON:
            return


def event_of(chance: random.Random, user: int, event_type: str, time: datetime) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "user_id": user,
        "event_type": event_type,
        "occurred_at": time.isoformat(),
    }


def make_visits(chance: random.Random, count: int) -> list[dict[str, Any]]:
    return [
        {"page_url": chance.choice(PAGES), "user_id": chance.randrange(1, USERS + 1)} for _ in range(count)
    ]
