"""`make jwt-demo`: what a token is and does, shown on a server of its own that leaves nothing behind."""

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
ACCOUNT = {"login": "anna", "password": "correct horse battery"}
START_TAKES = 60  # seconds at most


def main() -> None:
    with a_server() as url:
        tell("Sign up and sign in", "POST /register, POST /login", call(url, "/register", body=ACCOUNT)[1])
        token = call(url, "/login", body=ACCOUNT)[1]["access_token"]
        header, claims, _ = (part_of(part) for part in token.split("."))
        tell(
            "The token says who and until when, for everybody to read", "header, claims", {**header, **claims}
        )
        tell(
            "It opens what is private",
            "Authorization: Bearer …",
            call(url, "/profile", token=f"Bearer {token}"),
        )
        tell("Also without the word", "Authorization: …", call(url, "/profile", token=token))
        tell(
            "Nobody can change it: its signature would not fit",
            "sub 1 → 2",
            call(url, "/profile", token=forged(token)),
        )
        tell(
            "Signing out ends it on every worker at once",
            "POST /logout",
            call(url, "/logout", token=token, body={}),
        )
        tell("From now on it opens nothing", "GET /profile", call(url, "/profile", token=token))


@contextmanager
def a_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="trawl-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user where this is root
        settings = {"PORT": str(port), "DATA_DIR": f"{folder}/var", "WORKERS": "1", "LOG_LEVEL": "ERROR"}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        server = subprocess.Popen(
            [sys.executable, "main.py"], cwd=PROJECT, env=kept | settings, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/ready")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str) -> None:
    end = time.monotonic() + START_TAKES
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def call(url: str, path: str, *, token: str = "", body: dict[str, str] | None = None) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": token} if token else {})}
    request = urllib.request.Request(f"{url}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = response.read()
            return response.status, json.loads(answer) if answer else None
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def part_of(part: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}  # the signature
    return found


def forged(token: str) -> str:
    header, claims, signature = token.split(".")
    changed = json.dumps(part_of(claims) | {"sub": "2"}).encode()
    return f"{header}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}.{signature}"


def tell(what: str, how: str, found: Any) -> None:
    print(f"\n{what}  ({how})\n  {json.dumps(found)}")


if __name__ == "__main__":
    main()
