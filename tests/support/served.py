"""A server of two workers, seen from outside: its processes and its metrics."""

import re
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

from tests.support.command_line import Running
from tests.support.processes import PATIENCE, children, command_of, eventually

PROGRAM = re.compile(r"main\.py|cheap_passwords\.py|prepared_interpreter\.py")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Site:
    url: str
    process: Running

    def workers(self) -> list[int]:
        return [pid for pid in children(self.process.pid) if PROGRAM.search(command_of(pid))]

    def metrics(self) -> str:
        """Return the text of /metrics; asks again after a reset, as when a worker has just died."""
        texts: list[str] = []

        def ask() -> bool:
            try:
                texts.append(get(f"{self.url}/metrics"))
            except (OSError, HTTPException):
                return False
            return True

        assert eventually(ask)
        return texts[0]

    def samples(self, name: str) -> dict[str, float]:
        """Return the values of a metric by their labels."""
        samples = SAMPLE.findall(self.metrics())
        return {labels: float(value) for metric, labels, value in samples if metric == name}


def get(url: str) -> str:
    """Return the body of a GET on a new connection, which either worker may accept."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return str(response.read().decode())
