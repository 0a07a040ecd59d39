"""The country of an address: from an operator's .mmdb file, else from the offline registry data of `iptocc`.

English names come from the table that the ipinfo library ships.
"""

import ipaddress
import runpy
from bisect import bisect
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any, Protocol

import iptocc
import maxminddb


def read_country_names() -> dict[str, str]:
    """Read ipinfo's table from its file: the package imports two HTTP clients, which takes 0.2 s."""
    package = find_spec("ipinfo")
    assert package is not None
    assert package.origin is not None
    countries: dict[str, str] = runpy.run_path(str(Path(package.origin).with_name("data.py")))["countries"]
    return countries


COUNTRY_NAMES = read_country_names()
IPV6 = 6  # the version of an .mmdb file that holds both
CACHED_ADDRESSES = 16_384  # of returning visitors: some 3 MB


class CountryData(Protocol):
    """A source of the countries of public addresses."""

    def country(self, address: str) -> str | None:
        """Return the ISO 3166 code of an address's country; None where that is unknown."""
        ...


class RegistryData:
    """The countries to which the registries have given addresses: offline, 7 million look-ups a second."""

    def country(self, address: str) -> str | None:
        return iptocc.country_code(address)


class MmdbData:
    """The countries in an .mmdb file of any of the usual makers.

    :raises OSError: the file can't be read
    :raises maxminddb.InvalidDatabaseError: it is no such file
    """

    def __init__(self, path: Path) -> None:
        self._reader = maxminddb.open_database(path)
        self._knows_ipv6 = self._reader.metadata().ip_version == IPV6

    def country(self, address: str) -> str | None:
        if ":" in address and not self._knows_ipv6:  # the reader would raise
            return None
        match self._reader.get(address):
            case {"country": {"iso_code": str(code)}} | {"country_code": str(code)} | {"country": str(code)}:
                return code
            case _:
                return None


class Geo:
    """The countries of any addresses, public or not."""

    def __init__(self, data: CountryData) -> None:
        self._data = data
        self.country = lru_cache(CACHED_ADDRESSES)(self._country)

    @classmethod
    def open(cls, mmdb: Path | None = None) -> "Geo":
        """Open an .mmdb file, or the registry data without one."""
        return cls(MmdbData(mmdb) if mmdb else RegistryData())

    def countries(self, addresses: Sequence[str]) -> list[str | None]:
        """Return the countries of addresses that come once, as `country` would, and remember none."""
        return [self._country(address) for address in addresses]

    def _country(self, address: str) -> str | None:
        """Return the ISO code of a canonical address; None if it is not public or its country unknown."""
        public = public_address(address)
        if public is None:
            return None
        code = self._data.country(public)
        # Registries hand some blocks to "EU" or "AP", which are not countries.
        return code if code in COUNTRY_NAMES else None


def special_blocks(*networks: str) -> list[tuple[bytes, bytes]]:
    """Return the first and the last address of each network."""
    parsed = map(ipaddress.ip_network, networks)
    return [(network[0].packed, network[-1].packed) for network in parsed]


# They hold all addresses that are not public: the registries of RFC 6890, multicast, and what is reserved.
SPECIAL_IPV4 = special_blocks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
SPECIAL_IPV6 = special_blocks(
    "::/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/2", "8000::/1"
)


def is_surely_public(address: str) -> bool:
    """Return whether an address, in its canonical form, is outside all special blocks."""
    ipv6 = ":" in address
    blocks = SPECIAL_IPV6 if ipv6 else SPECIAL_IPV4
    packed = inet_pton(AF_INET6 if ipv6 else AF_INET, address)
    index = bisect(blocks, (packed, b"\xff" * 16)) - 1  # of the last block that begins before the address
    return packed > blocks[index][1]


def public_address(address: str) -> str | None:
    """Return the address as country data knows it, IPv4 mapped into IPv6 as IPv4; None if not public."""
    if is_surely_public(address):  # the properties of ipaddress take 20 times as long
        return address
    parsed: Any = ipaddress.ip_address(address)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(parsed) if parsed.is_global and not parsed.is_multicast else None


def country_name(code: str) -> str:
    """Return the English name of an ISO country code; the code itself where there is none."""
    return COUNTRY_NAMES.get(code, code)
