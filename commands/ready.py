"""`python -m commands.ready`: ends with 0 if the server of these settings is ready, else tells why not.

For the health check of a container, every few seconds: it loads nothing but the settings.
"""

import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from config import SettingsError, read_settings

TIMEOUT = 4.0  # seconds


def why_not_ready(host: str, port: int) -> str | None:
    """None if it is. A server on all addresses is asked on this machine's own."""
    connection = HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        told = answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if answer.status == HTTPStatus.OK else f"{answer.status} {told}"


def main() -> str | None:
    try:
        settings = read_settings()
    except SettingsError as error:
        return str(error)
    return why_not_ready(settings.host, settings.port)


if __name__ == "__main__":
    sys.exit(main())
