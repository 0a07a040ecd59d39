"""Which addresses are public, held to what ipaddress says of them; and countries of .mmdb files."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.geo import SPECIAL_IPV4, SPECIAL_IPV6, Geo, is_surely_public, public_address
from db.database import Database
from tests.support.examples import examples
from tests.support.log_imports import Importer, counts, write
from tests.support.mmdb import write_mmdb


@st.composite
def edges(draw: st.DrawFn) -> IPv4Address | IPv6Address:
    """The first or last address of a special block, or one beside it."""
    edge = draw(st.sampled_from([edge for block in SPECIAL_IPV4 + SPECIAL_IPV6 for edge in block]))
    near = int.from_bytes(edge) + draw(st.integers(-1, 1))
    return ip_address((near % (1 << 8 * len(edge))).to_bytes(len(edge)))


ADDRESSES = st.one_of(
    edges(),
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.ip_addresses(network="2000::/3"),
    st.ip_addresses(network="2001::/20"),
    st.ip_addresses(network="::ffff:0:0/96"),
)


@given(ADDRESSES)
@settings(max_examples=examples(400))
def test_a_public_address_is_what_ipaddress_calls_global(address: IPv4Address | IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    mapped_or_self = mapped or address
    public = mapped_or_self.is_global and not mapped_or_self.is_multicast
    assert public_address(str(address)) == (str(mapped_or_self) if public else None)


def test_common_public_addresses_are_told_without_ipaddress() -> None:
    for address in ("8.8.8.8", "223.255.255.255", "2a00:1450:4001::1", "2606:4700::1111"):
        assert is_surely_public(address)
    for address in ("10.0.0.1", "240.0.0.1", "::1", "fe80::1", "2001:db8::1", "::ffff:8.8.8.8"):
        assert not is_surely_public(address)


@pytest.mark.parametrize(
    "value", [{"country": {"iso_code": "US"}}, {"country_code": "US"}, {"country": "US"}]
)
def test_an_mmdb_file_tells_countries_of_any_maker(tmp_path: Path, value: Any) -> None:
    write_mmdb(tmp_path / "both.mmdb", "8.8.8.0/24", value, ip_version=6)
    geo = Geo.open(tmp_path / "both.mmdb")
    assert [geo.country(address) for address in ("8.8.8.8", "9.9.9.9", "2606:4700::1111")] == [
        "US",
        None,
        None,
    ]


def test_an_mmdb_file_of_ipv4_alone_gives_ipv6_addresses_no_country(tmp_path: Path) -> None:
    write_mmdb(tmp_path / "v4.mmdb", "8.8.8.0/24", {"country": {"iso_code": "US"}}, ip_version=4)
    geo = Geo.open(tmp_path / "v4.mmdb")
    assert geo.country("2606:4700::1111") is None
    assert (geo.country("8.8.8.8"), geo.country("::ffff:8.8.8.8")) == ("US", "US")
    assert geo.country("9.9.9.9") is None


async def test_an_import_goes_on_where_the_mmdb_file_knows_no_ipv6(
    committed_db: Database, tmp_path: Path
) -> None:
    write_mmdb(tmp_path / "v4.mmdb", "8.8.8.0/24", {"country": {"iso_code": "US"}}, ip_version=4)
    shop, log = Importer(committed_db, Geo.open(tmp_path / "v4.mmdb")), tmp_path / "shop.log"
    write(
        log,
        b"shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 2606:4700::1111 https://shop.example/caviar/\n"
        b"shop_api      | 2018-08-01 00:01:36 [YQ3J8G5B] INFO: 8.8.8.8 https://shop.example/caviar/\n",
    )
    record = await shop.read(log)
    assert (record.status, counts(record)) == ("done", (2, 2, 0, 0))
    rows = await shop.rows("SELECT host(address), country FROM visit ORDER BY occurred_at")
    assert rows == [("2606:4700::1111", None), ("8.8.8.8", "US")]
