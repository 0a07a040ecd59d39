"""Writes access logs of an invented shop, of any length, with the answers of the reports.

    python -m bench.shop_log --lines 20000 --seed 1 --answers answers.json > logs.txt

A visitor, an address with a user number, comes for sessions; each follows one walk. What a walk adds to each
answer is computed beforehand, so that a session costs a few additions. Its lines wait in a ring of seconds
until no later session can begin before them, so that lines come out in order and memory stays flat.
"""

import argparse
import ipaddress
import json
import operator
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, cycle, islice
from pathlib import Path
from random import Random

import iptocc
from ipinfo.data import countries as country_names

from bench.shop_answers import ExpectedAnswers
from bench.shop_walks import Walk, draw, make_walks

__all__ = ["ExpectedAnswers", "country_of", "generate"]

HOUR_WEIGHTS = [3, 2, 2, 2, 2, 3, 5, 7, 9, 10, 10, 10, 11, 11, 10, 10, 11, 12, 14, 16, 17, 15, 10, 6]
# First octets: anywhere, and more often 133 (Japan, whose visitors come for fresh fish) and 10 (private).
OCTETS = [*range(256), *[133] * 62, *[10] * 8]
NETWORKS = ("2600:1f18", "2a02:8071", "240b:11", "2001:67c", "fd12:3456")
BATCH_SECONDS = 600  # how long lines may wait once no session can come before them
RING_SECONDS = 8192  # more than a batch and a walk together
POOL_SIZE = 2000  # visitors that may come again
START = datetime(2024, 5, 6, tzinfo=UTC)
CountryOf = Callable[[str], str | None]


@dataclass(slots=True)
class Visitor:
    """Somebody who walks. One walk at a time, so that a cart line follows its own product page."""

    address: str
    country: str | None
    user_id: int
    likes_fresh: bool
    busy_until: int = 0
    purchases: int = 0


def country_of(address: str) -> str | None:
    """Return the ISO code of an address's country; None for private, reserved and multicast ones."""
    parsed = ipaddress.ip_address(address)
    if parsed.is_private or parsed.is_reserved or parsed.is_multicast:
        return None
    code = iptocc.country_code(address)
    return code if code in country_names else None


class Visitors:
    """A bounded pool of visitors who come again, and new ones, each with an address of its own."""

    def __init__(self, rng: Random, country_of: CountryOf, expected: ExpectedAnswers, pool_size: int) -> None:
        self.rng, self.country_of, self.expected = rng, country_of, expected
        self.pool: list[Visitor] = []
        self.pool_size = pool_size
        self.count = 0

    def draw(self, now: int) -> Visitor:
        """Return a visitor of the pool who is not busy, or a new one, who joins the pool."""
        if self.pool and self.rng.random() < 0.5:
            visitor = draw(self.rng, self.pool)
            if visitor.busy_until < now:
                return visitor
        visitor = self.create()
        if len(self.pool) < self.pool_size:
            self.pool.append(visitor)
        else:
            place = int(self.rng.random() * self.pool_size)
            self.retire(self.pool[place])
            self.pool[place] = visitor
        return visitor

    def create(self) -> Visitor:
        self.count += 1
        # An odd number times a count, modulo a power of two, gives each number once.
        low = self.count * 7_368_787 % 2**24
        octet = draw(self.rng, OCTETS)
        address = f"{octet}.{low >> 16}.{low >> 8 & 255}.{low & 255}"
        if self.rng.random() < 0.08:
            address = f"{draw(self.rng, NETWORKS)}:{low >> 12:x}:{low & 4095:x}::{octet + 1:x}"
        user_id = 80_000_000_000 + self.count * 7_919_377 % 10**10
        return Visitor(address, self.country_of(address), user_id, octet == 133)

    def retire(self, visitor: Visitor) -> None:
        """Count the purchases of a visitor who does not come again."""
        if visitor.purchases:
            self.expected.purchases[visitor.purchases] += 1


def request_keys(rng: Random) -> Iterator[str]:
    """Generate keys that look random and repeat after a hundred million: halves from two prime rings."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    halves = []
    for length in (10_007, 10_009):
        ring: dict[str, None] = {}
        while len(ring) < length:
            ring["".join(draw(rng, letters) for _ in range(4))] = None
        halves.append(cycle(ring))
    return map(operator.add, *halves)


def sessions(
    lines: int, rng: Random, begin: int, days: float, visitors: Visitors
) -> Iterator[tuple[int, Visitor, Walk]]:
    """Generate (second since 1970, visitor, walk) in order of time: `lines` requests spread over `days`."""
    walks = make_walks(rng)
    lengths = [len(walk.steps) for walk in chain(*walks.values())]
    mean_length = sum(lengths) / len(lengths)
    gap = days * 86_400 * mean_length / max(lines, 1) * sum(HOUR_WEIGHTS) / 24
    clock = float(begin)
    while lines > 0:
        second = int(clock)
        hour = second // 3600 % 24
        visitor = visitors.draw(second)
        if visitor.likes_fresh:
            taste = "fresh"
        elif rng.random() < (0.5 if 6 <= hour < 12 else 0.1):
            taste = "frozen"
        else:
            taste = draw(rng, ("any", "quick"))
        walk = draw(rng, walks[taste])
        if len(walk.steps) > lines:
            walk = Walk(walk.steps[:lines])
        lines -= len(walk.steps)
        visitor.busy_until = second + walk.offsets[-1]
        yield second, visitor, walk
        # Evenly spread gaps and no logarithm: the last bit of one differs between machines.
        clock += 2 * rng.random() * gap / HOUR_WEIGHTS[hour]


class Ring:
    """The lines that wait, a list for each of the next seconds."""

    def __init__(self, begin: int, keys: Iterator[str], hours: Counter[datetime]) -> None:
        self.waiting: list[list[str]] = [[] for _ in range(RING_SECONDS)]
        self.second, self.keys, self.hours = begin, keys, hours
        self.clock = [f"{at // 60:02}:{at % 60:02} [" for at in range(3600)]

    def add(self, second: int, address: str, urls: Iterable[str], offsets: Iterable[int]) -> None:
        waiting, start = self.waiting, f"] INFO: {address} "
        for after, url in zip(offsets, urls, strict=True):
            waiting[(second + after) % RING_SECONDS].append(start + url)

    def release(self, until: int) -> Iterator[list[str]]:
        """Take the lines before a second out of the ring, in order, in batches of at most an hour."""
        while self.second < until:
            hour = datetime.fromtimestamp(self.second // 3600 * 3600, UTC)
            end = min(until, self.second // 3600 * 3600 + 3600)
            lines = self.take(f"shop_api      | {hour:%Y-%m-%d %H}:", range(self.second, end))
            if lines:
                self.hours[hour] += len(lines)
            self.second = end
            yield lines

    def take(self, prefix: str, seconds: range) -> list[str]:
        """Take the lines of some seconds of one hour out of the ring, each with its time and key."""
        batch: list[str] = []
        waiting, clock, keys = self.waiting, self.clock, self.keys
        for second in seconds:
            lines = waiting[second % RING_SECONDS]
            if lines:
                stamp = prefix + clock[second % 3600]
                batch += [f"{stamp}{key}{line}" for line, key in zip(lines, keys, strict=False)]
                lines.clear()
        return batch


def generate(
    lines: int,
    seed: int,
    *,
    start: datetime = START,
    days: float = 14,
    country_of: CountryOf = country_of,
    expected: ExpectedAnswers | None = None,
    pool_size: int = POOL_SIZE,
) -> Iterator[str]:
    """Generate `lines` lines with their newlines, over about `days` from `start` (aware).

    A `seed` gives the same lines whatever `country_of` is. `expected` is complete after the last line.
    """
    rng, expected, begin = Random(seed), expected or ExpectedAnswers(), int(start.timestamp())
    ring, visitors, cart_id = (
        Ring(begin, request_keys(rng), expected.hours),
        Visitors(rng, country_of, expected, pool_size),
        1000,
    )
    for second, visitor, walk in sessions(lines, rng, begin, days, visitors):
        if second >= ring.second + BATCH_SECONDS:
            yield from chain.from_iterable(ring.release(second))
        urls = walk.urls
        if walk.bought:
            cart_id += 1
            urls %= {"cart": cart_id, "user": visitor.user_id}
        ring.add(second, visitor.address, urls.splitlines(keepends=True), walk.offsets)
        expected.add(second, visitor.country, walk)
        visitor.purchases += walk.is_paid
    yield from chain.from_iterable(ring.release(ring.second + RING_SECONDS))
    for visitor in visitors.pool:
        visitors.retire(visitor)
    expected.conclude()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shop_log", description="Writes an access log.")
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, default=14)
    parser.add_argument("--start", type=datetime.fromisoformat, default=START, help="date or time, in UTC")
    parser.add_argument("--answers", type=Path, help="where to write the expected answers, as JSON")
    arguments = parser.parse_args()
    expected = ExpectedAnswers()
    start = arguments.start.replace(tzinfo=arguments.start.tzinfo or UTC)
    lines = generate(arguments.lines, arguments.seed, start=start, days=arguments.days, expected=expected)
    while batch := "".join(islice(lines, 10_000)):
        sys.stdout.write(batch)
    if arguments.answers:
        arguments.answers.write_text(json.dumps(expected.as_json(), indent=2) + "\n")


if __name__ == "__main__":
    main()
