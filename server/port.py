"""The port of the server, reserved before anything else is started."""

import errno
import socket

from server.errors import ServerError


def reserve_port(host: str, port: int, *, command: str = "make run") -> tuple[tuple[str, int], socket.socket]:
    """Resolve an address, and bind a socket to it that never listens, so that nobody else takes it.

    :param command: what the message of a port in use tells to begin again
    :raises ServerError: the host is unknown, or the port can't be had
    """
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ServerError(f"HOST is {host!r}, which is unknown: {error.strerror}") from error
    family, _, _, _, sockaddr = min(entries, key=lambda entry: entry[0] != socket.AF_INET)
    address = (str(sockaddr[0]), int(sockaddr[1]))
    try:
        # SO_REUSEPORT lets workers share a port, but also strangers that set it. This bind, without it,
        # fails beside them.
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
        reservation = _bind(family, address)
    except OSError as error:
        raise ServerError(f"PORT {port} on HOST {host} {describe_refusal(error, port, command)}") from error
    return (address[0], int(reservation.getsockname()[1])), reservation


def describe_refusal(error: OSError, port: int, command: str) -> str:
    """Say why a port can't be had, and what to do where that is plain."""
    if error.errno == errno.EADDRINUSE:
        return f"is in use; stop what uses it, or take another: PORT={port % 65535 + 1} {command}"
    if error.errno == errno.EACCES:
        return "is root's alone; take one from 1024 on, such as PORT=8000, and put a proxy in front"
    return f"can't be bound: {error.strerror}"


def _bind(family: int, address: tuple[str, int]) -> socket.socket:
    """Bind a socket that workers may share the port with."""
    reservation = socket.socket(family)
    try:
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            reservation.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            # Connections of an earlier server linger for a minute. Only now, because beside a socket with
            # this option a second Trawl that starts at the same moment would bind too.
            reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reservation.bind(address)
    except OSError:
        reservation.close()
        raise
    return reservation
