"""python -m demo: serves Trawl as `python main.py` does, with an invented shop and its films beside it."""

import os
import secrets
import shlex
import sys
from pathlib import Path

import typer

from commands.serve import serve, url_of
from commands.terminal import load_settings, one_line_errors, out
from demo.companions import companion, film_service
from demo.shop import LOGIN
from server.port import reserve_port

DATA_DIR = Path("var") / "demo"
PASSWORD_FILE = "demo-password"


def read_password(folder: Path) -> str:
    """Return the password of the demonstration's admin, made once."""
    path = folder / PASSWORD_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(9))
    return path.read_text().strip()


def describe_commands(data_dir: str) -> str:
    """Say how the command line is led to this Trawl, and not to the one of `make run`."""
    command = f"DATA_DIR={shlex.quote(data_dir)} .venv/bin/python main.py …"
    return f"Commands work on this demonstration with its DATA_DIR: {command}"


def serve_demo() -> None:
    with one_line_errors():
        # Data of its own, so that invented films are never among somebody's favourites.
        os.environ.setdefault("DATA_DIR", str(DATA_DIR))
        os.environ.setdefault("LOG_LEVEL", "WARNING")  # a line for each request would hide the password
        settings = load_settings()
        # Before anything else: what answers at the port would be sent the password.
        reserve_port(settings.host, settings.port, command="make demo")[1].close()
        password = read_password(settings.data_dir)
    os.environ |= {"ADMIN_LOGIN": LOGIN, "ADMIN_PASSWORD": password}
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    url = url_of(host, settings.port) + settings.base_path
    with film_service() as films, companion("demo.shop", url, show_output=True) as shop:
        assert shop.stdin is not None
        shop.stdin.write(f"{password}\n")
        shop.stdin.flush()
        os.environ |= {"KINOPOISK_URL": films, "KINOPOISK_API_KEY": "demo"}
        out.print(f"Forty invented films, for the film routes, are served at {films}", highlight=False)
        out.print(describe_commands(os.environ["DATA_DIR"]), highlight=False, soft_wrap=True)
        serve()


if __name__ == "__main__":
    try:
        serve_demo()
    except typer.Exit as end:
        sys.exit(end.exit_code)
