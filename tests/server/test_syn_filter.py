"""Addresses that the kernel leaves unanswered."""

import socket
from collections.abc import Iterator

import pytest

from server.syn_filter import MOST, count_drops, refuse
from tests.support.unanswered import is_answered


@pytest.fixture(params=["127.0.0.1", "::"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """Listen for IPv4, alone or beside IPv6."""
    is_dual = request.param == "::"
    family = socket.AF_INET6 if is_dual else socket.AF_INET
    with socket.create_server((request.param, 0), family=family, dualstack_ipv6=is_dual) as listener:
        yield listener


def ipv4_address_of(listener: socket.socket) -> tuple[str, int]:
    return "127.0.0.1", listener.getsockname()[1]


def test_addresses_are_refused_until_they_are_left_out(listener: socket.socket) -> None:
    address = ipv4_address_of(listener)
    assert is_answered(address, "127.0.0.2")
    refuse(listener, ["127.0.0.2", "127.0.0.3", "2001:db8:1:2::"])
    assert [is_answered(address, f"127.0.0.{number}") for number in (1, 2, 3, 4)] == [
        True,
        False,
        False,
        True,
    ]
    refuse(listener, ["127.0.0.3"])
    assert [is_answered(address, f"127.0.0.{number}") for number in (1, 2, 3, 4)] == [True, True, False, True]
    refuse(listener, [])
    assert is_answered(address, "127.0.0.3")


@pytest.mark.parametrize("network", ["10.0.0.{}", "2001:db8:1:{}::"])
def test_as_many_addresses_as_a_filter_has_room_for_are_refused(
    listener: socket.socket, network: str
) -> None:
    others = [network.format(number) for number in range(MOST - 1)]
    refuse(listener, ["127.0.0.2", *others])
    assert not is_answered(ipv4_address_of(listener), "127.0.0.2")
    refuse(listener, [*others, *others, "127.0.0.2"])
    assert is_answered(ipv4_address_of(listener), "127.0.0.1")


def test_a_network_of_ipv6_is_refused() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        address = ("::1", listener.getsockname()[1])
        refuse(listener, ["0:0:0:1::", "0:0:1::", "0:1::", "1::", "0.0.0.0"])
        assert is_answered(address, "::1")
        refuse(listener, ["2001:db8::", "::"])
        assert not is_answered(address, "::1")


def test_what_has_begun_goes_on(listener: socket.socket) -> None:
    address = ipv4_address_of(listener)
    with socket.create_connection(address, source_address=("127.0.0.2", 0)) as client:
        refuse(listener, ["127.0.0.2"])
        with listener.accept()[0] as accepted:
            client.sendall(b"question")
            assert accepted.recv(100) == b"question"
            accepted.sendall(b"answer")
            assert client.recv(100) == b"answer"


def test_attempts_that_are_dropped_are_counted(listener: socket.socket) -> None:
    address = ipv4_address_of(listener)
    refuse(listener, ["127.0.0.2"])
    assert [is_answered(address, f"127.0.0.{number}") for number in (2, 3, 2, 2)] == [
        False,
        True,
        False,
        False,
    ]
    assert count_drops(listener) == 3
