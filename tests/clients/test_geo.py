"""Which addresses are public, held to what ipaddress says of them."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from clients.geo import SPECIAL_IPV4, SPECIAL_IPV6, is_surely_public, public_address


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
@settings(max_examples=1000)
def test_a_public_address_is_what_ipaddress_calls_global(address: IPv4Address | IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    known_as = mapped or address
    public = known_as.is_global and not known_as.is_multicast
    assert public_address(str(address)) == (str(known_as) if public else None)


def test_common_public_addresses_are_told_without_ipaddress() -> None:
    for address in ("8.8.8.8", "223.255.255.255", "2a00:1450:4001::1", "2606:4700::1111"):
        assert is_surely_public(address)
    for address in ("10.0.0.1", "240.0.0.1", "::1", "fe80::1", "2001:db8::1", "::ffff:8.8.8.8"):
        assert not is_surely_public(address)
