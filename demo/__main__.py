"""python -m demo: serves Trawl as `python main.py` does, with an invented film service beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from commands.serve import serve
from commands.terminal import out

DATA_DIR = Path("var") / "demo"


@contextmanager
def film_service() -> Iterator[str]:
    """Run the film service; yields its URL. It ends with this process, however that ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.kinopoisk"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            sys.exit("trawl: the invented film service does not start")
        try:
            yield url
        finally:
            process.stdin.close()


def serve_demo() -> None:
    with film_service() as url:
        # Data of its own, so that invented films are never among somebody's favourites.
        os.environ.setdefault("DATA_DIR", str(DATA_DIR))
        os.environ["KINOPOISK_URL"] = url
        os.environ["KINOPOISK_API_KEY"] = "demo"
        out.print(f"The film routes know forty invented films, served at {url}", highlight=False)
        serve()


if __name__ == "__main__":
    try:
        serve_demo()
    except typer.Exit as end:
        sys.exit(end.exit_code)
