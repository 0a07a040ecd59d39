"""Probes of servers that answer, refuse, hang up or say nothing."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.postgres import SOCKET, Postgres
from embedded.probe import HealthProbe

STARTING_UP = b"E\0\0\0\x0dC57P03\0\0\0"
SIGNED_IN = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


@pytest.fixture
def server(directory: Path) -> Iterator[socket.socket]:
    """What listens where PostgreSQL would."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / SOCKET))
        listener.listen(1)
        listener.settimeout(1)
        yield listener


def test_an_answer_in_pieces_is_whole_at_its_end(server: socket.socket, directory: Path) -> None:
    probe = Postgres.probe_at(directory)
    connection, _ = server.accept()
    with connection:
        assert b"user\0trawl\0database\0trawl\0" in connection.recv(100)
        assert not probe.poll()
        connection.sendall(SIGNED_IN[:-1])
        assert not probe.poll()
        connection.sendall(SIGNED_IN[-1:])
        assert probe.poll()
        assert connection.recv(100) == b"X\0\0\0\x04"
    assert Postgres.is_ready(probe.response)


def test_a_server_that_refuses_and_hangs_up_has_answered(server: socket.socket, directory: Path) -> None:
    probe = Postgres.probe_at(directory)
    connection, _ = server.accept()
    with connection:
        connection.recv(100)
        connection.sendall(STARTING_UP)
    assert probe.poll()
    assert not probe.failed
    assert not Postgres.is_ready(probe.response)


def test_a_server_that_hangs_up_without_a_word_has_not_answered(
    server: socket.socket, directory: Path
) -> None:
    probe = Postgres.probe_at(directory)
    server.accept()[0].close()
    assert not probe.poll()
    assert probe.failed


def test_a_server_whose_queue_is_full_has_not_answered(server: socket.socket, directory: Path) -> None:
    probes = [Postgres.probe_at(directory) for _ in range(4)]
    assert [probe.failed for probe in probes] == [False, False, True, True]
    for probe in probes:
        probe.close()


def test_nobody_at_the_socket_is_told_at_once(directory: Path) -> None:
    probe = HealthProbe(directory / SOCKET, b"PING\r\n", bool, goodbye=b"")
    assert probe.failed
    assert not probe.poll()
