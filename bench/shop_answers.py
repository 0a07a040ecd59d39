"""The answers of the reports for an invented log, counted while it is written: nothing here reads a line."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import permutations

from ipinfo.data import countries as country_names

from bench.shop_walks import Walk

PARTS = ("night", "morning", "day", "evening")


@dataclass
class ExpectedAnswers:
    """The answers with the reports' default parameters. Complete after the last line was generated."""

    answers: dict[int, str | int | None] = field(default_factory=dict)
    lines: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)  # requests by ISO code
    fresh_countries: Counter[str] = field(default_factory=Counter)  # the same of fresh_fish and its products
    frozen_hours: list[int] = field(default_factory=lambda: [0] * 24)  # views of frozen_fish by hour
    hours: Counter[datetime] = field(default_factory=Counter)  # requests by clock hour
    carts: int = 0
    paid: int = 0
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)  # paid carts with both, each way round
    purchases: Counter[int] = field(default_factory=Counter)  # users by how many carts they paid

    @property
    def parts(self) -> dict[str, int]:
        return {part: sum(self.frozen_hours[6 * at : 6 * at + 6]) for at, part in enumerate(PARTS)}

    def as_json(self) -> dict[str, object]:
        counts = vars(self) | {"parts": self.parts}
        counts["hours"] = {f"{hour:%Y-%m-%dT%H:%M:%SZ}": number for hour, number in self.hours.items()}
        counts["pairs"] = {" ".join(pair): number for pair, number in self.pairs.items()}
        return counts

    def add(self, second: int, country: str | None, walk: Walk) -> None:
        """Count a session, which begins at a second since 1970."""
        self.kinds.update(walk.kinds)
        if country is not None:
            self.countries[country] += len(walk.steps)
            self.fresh_countries[country] += walk.fresh_views
        for after in walk.frozen_views:
            self.frozen_hours[(second + after) // 3600 % 24] += 1
        self.carts += bool(walk.bought)
        if walk.is_paid:
            self.paid += 1
            self.pairs.update(permutations(walk.bought, 2))

    def conclude(self) -> None:
        """Compute the answers from the counts, and break ties as the reports do."""
        self.lines = self.kinds.total()
        parts = self.parts
        with_semi = {b: n for (a, b), n in self.pairs.items() if a == "semi_manufactures"}
        self.answers = {
            1: first_country(self.countries),
            2: first_country(self.fresh_countries),
            3: max(parts, key=parts.__getitem__) if any(self.frozen_hours) else None,
            4: max(self.hours.values(), default=None),
            5: min(with_semi, key=lambda name: (-with_semi[name], name), default=None),
            6: self.carts - self.paid,
            7: sum(users for purchases, users in self.purchases.items() if purchases > 1),
        }


def first_country(requests: Counter[str]) -> str | None:
    ranked = [(-number, str(country_names[code])) for code, number in requests.items() if number]
    return min(ranked)[1] if ranked else None
