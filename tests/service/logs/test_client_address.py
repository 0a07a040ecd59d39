"""The address of a client, as servers and proxies write it."""

import pytest

from service.logs.client_address import parse_client_address
from service.logs.shop_format import BadLine


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("8.8.8.8:5678", "8.8.8.8"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1"),
        ("::1:51030", "::1"),  # uvicorn
        ("2001:db8::7:51030", "2001:db8::7"),
        ("2001:db8:1:2:3:4:5:6:51030", "2001:db8:1:2:3:4:5:6"),
        ("::ffff:192.0.2.1:80", "192.0.2.1"),
        ("2001:db8::7:5103", "2001:db8::7:5103"),  # that is an address
        ("10.0.0.1, 8.8.8.8, 8.8.4.4", "8.8.8.8"),
        ("8.8.8.8,10.0.0.1", "8.8.8.8"),
        ("unknown, 8.8.8.8:80", "8.8.8.8"),
        ("-, fe80::1, 2001:4860:4860::8888", "2001:4860:4860::8888"),
        ("192.168.0.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("192.168.0.1, 10.0.0.1", "192.168.0.1"),
        ("::ffff:10.0.0.1, 8.8.4.4", "8.8.4.4"),
    ],
)
def test_an_address_is_read_as_it_is_met(text: str, address: str) -> None:
    assert parse_client_address(text) == address


@pytest.mark.parametrize("text", ["shop.example", "localhost", "shop.example:80", "a-b.c"])
def test_a_host_name_is_refused_as_such(text: str) -> None:
    with pytest.raises(BadLine, match="a host name stands where the address should be"):
        parse_client_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.4:",
        "1.2.3.4:123456",
        "[1.2",
        "fe80::1%eth0",
        "unix:",
        ",",
        "::1:123456",
        "2001:db8:51030",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadLine, match="address"):
        parse_client_address(text)
