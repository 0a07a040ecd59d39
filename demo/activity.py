"""Invents events of a shop's last four weeks, always the same but for their dates."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

DAYS = 28
USERS = 700
STEPS = ("view", "cart", "checkout", "purchase")
NEXT_STEP = 0.6  # its probability


def make_events(rng: random.Random, now: datetime) -> list[dict[str, Any]]:
    """Make the events of users who come first on some day, and again on later days, ever more rarely."""
    return [
        event
        for user in range(1, USERS + 1)
        for day in draw_days(rng)
        for event in make_session(rng, user, now - timedelta(days=DAYS - day, hours=rng.uniform(1, 12)))
    ]


def draw_days(rng: random.Random) -> Iterator[int]:
    first = rng.randrange(DAYS)
    yield first
    for day in range(first + 1, DAYS):
        if rng.random() < 0.4 * 0.9 ** (day - first):
            yield day


def make_session(rng: random.Random, user: int, time: datetime) -> Iterator[dict[str, Any]]:
    for step in STEPS:
        yield make_event(rng, user, step, time)
        time += timedelta(seconds=rng.randrange(5, 300))
        if rng.random() > NEXT_STEP:
            return


def make_event(rng: random.Random, user: int, event_type: str, time: datetime) -> dict[str, Any]:
    return {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "user_id": user,
        "event_type": event_type,
        "occurred_at": time.isoformat(),
    }
