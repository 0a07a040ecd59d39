"""`python -m commands.ready`: exits with 0 if the server of these settings is ready, else says why not.

The health check of a container runs it every few seconds, so it imports nothing but the settings.
"""

import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from config import SettingsError, read_settings

TIMEOUT = 4.0  # seconds


def why_not_ready(host: str, port: int, name: str | None = None) -> str | None:
    """Ask GET /ready; returns None if it is 200, else the reason. 0.0.0.0 reaches this machine.

    :param name: the server's own name, if it answers to its names alone
    """
    connection = HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/ready", headers={"Host": name} if name else {})
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if response.status == HTTPStatus.OK else f"{response.status} {body}"


def main() -> str | None:
    """Return what `sys.exit` takes: None, or the reason in one line."""
    try:
        settings = read_settings()
    except SettingsError as error:
        return str(error)
    return why_not_ready(settings.host, settings.port, next(iter(settings.allowed_hosts), None))


if __name__ == "__main__":
    sys.exit(main())
