"""Hides whose an address is: its last bytes are 0 where it is stored.

    mask  198.51.100.7   2001:db8:85a3:8d3:1319:8a2e:370:7348
      1   198.51.100.0   2001:db8:85a3::
      2   198.51.0.0     2001:db8::
      3   198.0.0.0      2001::

Of IPv6 the interface half goes, and as many times 16 bits before it. The mask 0 hides nothing.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

IPV4_BYTES, IPV6_KEPT_BITS, IPV6_BITS = 4, 64, 128
# What may be an address in a text: numbers with dots, three at least, or hex digits with two colons.
DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+){3,}")
COLONS = re.compile(r"(?:[0-9A-Fa-f]*:){2,}(?:[0-9]+(?:\.[0-9]+){3}|[0-9A-Fa-f]*)")
# Addresses within names of hosts, such as host-198-51-100-7.isp.example: their order is not known.
IN_NAMES = re.compile(
    r"(?<![0-9])[0-9]{1,3}(?P<mark>[-_])(?:[0-9]{1,3}(?P=mark)){2,}[0-9]{1,3}(?![0-9])"
    r"|[0-9]+(?:\.[0-9]+){3,}(?=\.[A-Za-z])"
    r"|(?<![0-9A-Za-z])(?:[0-9A-Fa-f]\.){8,}(?=ip6\.)"
    r"|(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{0,4}-){4,}[0-9A-Fa-f]{1,4}(?![0-9A-Za-z])"
)
DIGITS = re.compile(r"[0-9A-Fa-f]+")
CUT_OFF = re.compile(r"[0-9A-Fa-f:._-]*[:._-][0-9A-Fa-f:._-]*\Z")  # at the end of a text
MOST_OF_TIME = 3  # colons that a time has, such as that of 29/Nov/2026:15:20:44


def mask_address(address: str, mask: int) -> str:
    """Return a canonical address as it is stored."""
    if not mask:
        return address
    if ":" not in address:
        return ".".join(address.split(".")[: IPV4_BYTES - mask] + ["0"] * mask)
    parsed = IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(IPv6Address(f"::ffff:{mask_address(str(parsed.ipv4_mapped), mask)}"))
    hidden = IPV6_BITS - IPV6_KEPT_BITS + 16 * mask
    return str(IPv6Address(int(parsed) >> hidden << hidden))


def mask_some(address: str | None, mask: int) -> str | None:
    return None if address is None else mask_address(address, mask)


def mask_text(text: str, mask: int, *, is_cut: bool = False) -> str:
    """Return a text in which all that looks like an address is masked.

    :param is_cut: it may end within an address
    """
    if not mask:
        return text
    text = IN_NAMES.sub(lambda match: DIGITS.sub("0", match[0]), text)
    text = COLONS.sub(lambda match: mask_colons(match[0], mask), text)
    text = DOTTED.sub(lambda match: mask_dotted(match[0], mask), text)
    return CUT_OFF.sub("…", text) if is_cut else text


def mask_dotted(text: str, mask: int) -> str:
    """Return numbers with dots, of which the first ones stay."""
    numbers = text.split(".")
    return ".".join(numbers[: IPV4_BYTES - mask] + ["0"] * (len(numbers) - IPV4_BYTES + mask))


def mask_colons(text: str, mask: int) -> str:
    """Return an IPv6 address masked; one that is damaged, too; a time as it is."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        groups = text.split(":")
        return text if len(groups) <= MOST_OF_TIME + 1 else ":".join(groups[: 4 - mask]) + "::"
    return mask_address(str(parsed), mask)
