"""Processes of ours beside another, which end with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def companion(module: str, *arguments: str, show_output: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Run a module of ours beside this process; it ends with it, however that ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=None if show_output else subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        try:
            yield process
        finally:
            process.stdin.close()


@contextmanager
def film_service() -> Iterator[str]:
    """Run the film service; yields its URL."""
    with companion("demo.kinopoisk") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            sys.exit("trawl: the invented film service does not start")
        yield url
