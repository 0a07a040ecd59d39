"""Reads the address of a client as the logs of web servers and proxies have it.

    203.0.113.9 · 2001:db8::1 · 203.0.113.9:5678 · [2001:db8::1]:443 · ::ffff:203.0.113.9 · "203.0.113.9"
    2001:db8::1:51030, as uvicorn and Sanic write it: no part of an address has five digits
    203.0.113.9, 10.0.0.1

Of a list, which proxies write, the first public address is taken: those of the proxies' own network are not.
"""

import ipaddress
import re
from functools import lru_cache

from service.logs.shop_format import CACHED_ADDRESSES, BadLine, parse_address

MAX_LIST = 64  # addresses; a client can write a header of as many as it likes
BRACKETED = re.compile(r"\[([^\[\]]+)\](?::\d{1,5})?", re.ASCII)
QUOTED = re.compile(r'"([^"]+)"')  # as Twisted writes it
IPV4_AND_PORT = re.compile(r"([0-9.]+):\d{1,5}", re.ASCII)
IPV6_AND_PORT = re.compile(
    r"((?:[0-9A-Fa-f]*:){2,8}(?:[0-9A-Fa-f]{0,4}(?=:\d{5}$)|\d+(?:\.\d+){3})):\d{1,5}", re.ASCII
)
HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?(?::\d{1,5})?", re.ASCII)
LETTER = re.compile(r"[A-Za-z]")
IS_HOST_NAME = "a host name stands where the address should be"
LOCAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
    )
)


@lru_cache(CACHED_ADDRESSES)
def parse_client_address(text: str) -> str:
    """Return the canonical address of a client.

    :raises BadLine: there is none
    """
    if "," not in text:
        return parse_part(text)
    addresses = []
    for part in text.split(",", MAX_LIST)[:MAX_LIST]:
        try:
            addresses.append(parse_part(part.strip()))
        except BadLine:
            continue  # "unknown", which proxies write, or what a client has sent
    if not addresses:
        raise BadLine("no IPv4 or IPv6 address is in the list of addresses")
    # Addresses for documentation are nobody's, and still rather the client's than those of a local network.
    return min(addresses, key=locality)


def parse_part(text: str) -> str:
    """Return the canonical form of one address, with or without a port.

    :raises BadLine: the text is none
    """
    if match := QUOTED.fullmatch(text):
        text = match[1]
    if match := BRACKETED.fullmatch(text) or IPV4_AND_PORT.fullmatch(text) or IPV6_AND_PORT.fullmatch(text):
        text = match[1]
    try:
        return parse_address(text)
    except BadLine:
        if HOST_NAME.fullmatch(text) and LETTER.search(text):
            raise BadLine(f"{IS_HOST_NAME}: log addresses, not names") from None
        raise


def locality(text: str) -> int:
    """Return 0 for a public address, 2 for one of a local network, and 1 for others."""
    address = ipaddress.ip_address(text)
    if address.is_global and not address.is_multicast:
        return 0
    return 2 if any(address in network for network in LOCAL) else 1
