"""What a quiet client saw of attacks, and whether that is within the bounds."""

from dataclasses import dataclass
from statistics import median

from bench.quiet_client import Timings

RATIO = 3.0
P99 = 1000.0  # ms
GROWTH = 300e6  # bytes of a worker
COLUMNS = (
    "attack",
    "load",
    "p99 quiet (ms)",
    "p99 during (ms)",
    "ratio",
    "longest sign-in (ms)",
    "failed",
    "MB a worker more",
    "holds",
)


@dataclass(frozen=True, slots=True)
class Round:
    """What the quiet client saw before and during an attack."""

    before: Timings
    during: Timings
    growth: float  # bytes, of the worker that grew most
    load: float  # of the machine, over the minute that ends with the attack


@dataclass(frozen=True, slots=True)
class Result:
    """The rounds of one attack."""

    name: str
    rounds: list[Round]

    @property
    def before(self) -> float:
        return median(each.before.p99() for each in self.rounds)

    @property
    def during(self) -> float:
        return median(each.during.p99() for each in self.rounds)

    @property
    def ratio(self) -> float:
        return median(each.during.p99() / each.before.p99() for each in self.rounds)

    @property
    def growth(self) -> float:
        return max(each.growth for each in self.rounds)

    @property
    def failures(self) -> int:
        return sum(len(each.during.failures) for each in self.rounds)

    @property
    def holds(self) -> bool:
        is_quick = self.ratio <= RATIO and self.during <= P99
        return is_quick and self.growth <= GROWTH and not self.failures

    def row(self) -> tuple[str, ...]:
        return (
            self.name,
            f"{median(each.load for each in self.rounds):.1f}",
            f"{self.before:.0f}",
            f"{self.during:.0f}",
            f"{self.ratio:.1f}",
            f"{max(each.during.longest_sign_in() for each in self.rounds):.0f}",
            f"{self.failures}",
            f"{self.growth / 1e6:.0f}",
            "yes" if self.holds else "no",
        )
