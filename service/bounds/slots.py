"""A bound for work that nobody should wait for: it finds a slot, or is not done."""

from collections.abc import Iterator
from contextlib import contextmanager

from telemetry.refusals import record_refusal


class Slots:
    """So much work of one kind at a time."""

    def __init__(self, name: str, *, total: int) -> None:
        """Begin with all slots free.

        :param name: of the bound, in metrics and logs
        """
        self.name = name
        self.total = total
        self.running = 0

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Hold a slot for the block, if there is one. Yield whether there is; if not, that is counted."""
        if self.running >= self.total:
            record_refusal(self.name)
            yield False
            return
        self.running += 1
        try:
            yield True
        finally:
            self.running -= 1

    def use(self) -> tuple[str, float, float]:
        return self.name, self.running, self.total
