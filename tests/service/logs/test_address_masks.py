"""Masked addresses: what is left of them, also in texts."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.address_masks import mask_address, mask_text

masks = st.sampled_from((1, 2, 3))
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@pytest.mark.parametrize(
    ("address", "mask", "masked"),
    [
        ("198.51.100.7", 0, "198.51.100.7"),
        ("198.51.100.7", 1, "198.51.100.0"),
        ("198.51.100.7", 2, "198.51.0.0"),
        ("198.51.100.7", 3, "198.0.0.0"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348", 0, "2001:db8:85a3:8d3:1319:8a2e:370:7348"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348", 1, "2001:db8:85a3::"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348", 2, "2001:db8::"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348", 3, "2001::"),
        ("::1", 1, "::"),
    ],
)
def test_the_last_bytes_are_hidden(address: str, mask: int, masked: str) -> None:
    assert mask_address(address, mask) == masked


@given(addresses, masks)
def test_a_masked_address_begins_as_the_address_and_ends_in_zeros(
    address: IPv4Address | IPv6Address, mask: int
) -> None:
    masked = ip_address(mask_address(str(address), mask))
    assert masked.version == address.version
    if isinstance(address, IPv6Address):
        hidden = 64 + 16 * mask if address.ipv4_mapped is None else 8 * mask
    else:
        hidden = 8 * mask
    assert int(masked) == int(address) >> hidden << hidden
    assert mask_address(str(masked), mask) == str(masked)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("2018-08-01 00:01:35 [A] INFO: 121.165.118.201 x", "2018-08-01 00:01:35 [A] INFO: 121.165.0.0 x"),
        ("203.0.113.9, 10.0.0.1 - [29/Nov/2026:15:20:44", "203.0.0.0, 10.0.0.0 - [29/Nov/2026:15:20:44"),
        ("203.0.113.9:5678 [2001:db8:85a3::1]:443", "203.0.0.0:5678 [2001:db8::]:443"),
        ("1.2.3.4.5 1.2.3.456", "1.2.0.0.0 1.2.0.0"),
        ("2001:db8:85a3:8d3:1319:8a2e:370:7348x 2001:db8:85a3:1:2:3:4:5:6:7", "2001:db8::x 2001:db8::"),
        ("::ffff:203.0.113.9", str(IPv6Address("::ffff:203.0.0.0"))),
        ("HTTP/1.1 Firefox/115.0.1", "HTTP/1.1 Firefox/115.0.1"),
        ("host-203-0-113-9.isp.example x203_0_113_9y", "host-0-0-0-0.isp.example x0_0_0_0y"),
        ("9.113.0.203.in-addr.arpa 9.113.0.203.isp.example", "0.0.0.0.in-addr.arpa 0.0.0.0.isp.example"),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "0.0.0.0.0.0.0.0.ip6.arpa"),
        ("v6-2001-db8-85a3--8a2e-370-7348.isp.example", "v6-0-0-0--0-0-0.isp.example"),
        (
            "2018-08-01 c0ffee00-1234-4abc-8def-0123456789ab",
            "2018-08-01 c0ffee00-1234-4abc-8def-0123456789ab",
        ),
    ],
)
def test_texts_hold_no_full_address(text: str, masked: str) -> None:
    assert mask_text(text, 2) == masked


@given(addresses, masks, st.sampled_from((" ", ",", "[", "x", '"', "=", ":")))
def test_no_address_is_left_in_a_text(address: IPv4Address | IPv6Address, mask: int, separator: str) -> None:
    text = mask_text(f"a{separator}{address}{separator}b", mask)
    for spelling in (str(address), address.exploded):
        assert spelling == mask_address(str(address), mask) or spelling not in text


@given(addresses, st.integers(180, 199))
def test_an_address_that_a_text_is_cut_within_is_left_out(
    address: IPv4Address | IPv6Address, at: int
) -> None:
    text = f"{'-' * at} {address} x"[:200]
    masked = mask_text(text, 3, is_cut=True)
    unmasked = masked.removeprefix("-" * at).strip(" x…")
    assert unmasked in ("", mask_address(str(address), 3)) or unmasked.isalnum()
