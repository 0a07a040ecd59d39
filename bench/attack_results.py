"""What a quiet client saw of attacks, and whether that is within the bounds."""

from dataclasses import dataclass
from statistics import median

from bench.attackers import Effort
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
    "attacker's share of a core",
    "p99 beside such a share (ms)",
    "longest sign-in (ms)",
    "failed",
    "connections",
    "MB of each worker, more",
    "ended",
    "lost",
    "holds",
)


@dataclass(frozen=True, slots=True)
class Round:
    """What the quiet client saw before and during an attack, and beside a process as busy as the attacker."""

    before: Timings
    during: Timings
    beside: Timings
    growth: tuple[float, ...]  # bytes by which each worker grew at most
    load: float  # of the machine, over the minute that ends with the attack
    effort: Effort
    ended: int  # workers
    lost: int  # visits that were acknowledged meanwhile


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
    def growth(self) -> list[float]:
        """Return the bytes by which each worker grew, of the round in which one grew most."""
        return sorted(max((each.growth for each in self.rounds), key=max))

    @property
    def failures(self) -> int:
        return sum(len(each.during.failures) for each in self.rounds)

    @property
    def holds(self) -> bool:
        is_quick = self.ratio <= RATIO and self.during <= P99
        is_whole = not any(each.ended or each.lost for each in self.rounds)
        return is_quick and is_whole and self.growth[-1] <= GROWTH and not self.failures

    def row(self) -> tuple[str, ...]:
        return (
            self.name,
            f"{median(each.load for each in self.rounds):.1f}",
            f"{self.before:.0f}",
            f"{self.during:.0f}",
            f"{self.ratio:.1f}",
            f"{median(each.effort.core for each in self.rounds):.2f}",
            f"{median(each.beside.p99() for each in self.rounds):.0f}",
            f"{max(each.during.longest_sign_in() for each in self.rounds):.0f}",
            f"{self.failures}",
            f"{median(each.effort.connections for each in self.rounds):.0f}",
            ", ".join(f"{size / 1e6:.0f}" for size in self.growth),
            f"{sum(each.ended for each in self.rounds)}",
            f"{sum(each.lost for each in self.rounds)}",
            "yes" if self.holds else "no",
        )
