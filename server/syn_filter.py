"""Has the kernel leave addresses unanswered that want to connect, so that the server has no work with them.

A filter of a listening socket (SO_ATTACH_FILTER of socket(7), which needs no rights) drops the packets that
begin a connection. Who sent them tries again after a second, and then at ever longer intervals.
"""

import ctypes
import socket
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

SO_ATTACH_FILTER, SO_MEMINFO = 26, 55  # of Linux; Python does not name them
MOST = 100  # addresses: the kernel bounds the size of a filter
MEMORY = struct.Struct("=9I")  # what SO_MEMINFO tells; the last is how many packets were dropped
DROPS = 2**32  # the count of them begins again there

# Instructions of the kernel's packet filter (linux/filter.h): most load a number or compare it with a value.
LOAD_WORD, LOAD_HALF, LOAD_BYTE, AND, JUMP, JUMP_IF_EQUAL, RETURN = 0x20, 0x28, 0x30, 0x54, 0x05, 0x15, 0x06
# Where they load from: the head of TCP, what the kernel knows of the packet, and the head of IP.
FLAGS = 13
PROTOCOL = 0xFFFFF000
IPV4_SOURCE, IPV6_SOURCE = 0xFFF00000 + 12, 0xFFF00000 + 8
SYN, SYN_OR_ACK = 0x02, 0x12
IPV4 = 0x0800
DROP, PASS = 0, 0xFFFFFFFF

Instruction = tuple[int, int, int, int]  # what, how many to skip if it is so, and if it is not, a value


def refuse(listener: socket.socket, networks: Collection[str]) -> None:
    """Drop from now on what begins a connection of these addresses, and let in all others.

    Those beyond the first MOST are let in, and so are all on a system without such filters: the guard of
    connections closes what they have too many of.

    :param networks: IPv4 addresses, and the first of each IPv6 /64
    """
    instructions = make_program([ip_address(network) for network in sorted(networks)[:MOST]])
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in instructions))
    with suppress(OSError):
        program = struct.pack("@HP", len(instructions), ctypes.addressof(code))
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def count_drops(listener: socket.socket) -> int:
    """Return how many packets the kernel has dropped, modulo DROPS: nearly all are those of the filter.

    Always 0 on a system that does not tell.
    """
    with suppress(OSError, struct.error):
        return int(MEMORY.unpack(listener.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMORY.size))[-1])
    return 0


def make_program(addresses: Collection[IPv4Address | IPv6Address]) -> list[Instruction]:
    """Make the filter. It runs for each packet: what begins no connection passes first."""
    of_ipv4, of_ipv6 = list[Instruction](), list[Instruction]()
    for address in addresses:
        if isinstance(address, IPv4Address):
            of_ipv4 += drop_of({IPV4_SOURCE: int(address)})
        else:
            high, low = divmod(int(address) >> 64, 2**32)
            of_ipv6 += drop_of({IPV6_SOURCE: high, IPV6_SOURCE + 4: low})
    passing = (RETURN, 0, 0, PASS)
    return [
        (LOAD_BYTE, 0, 0, FLAGS),
        (AND, 0, 0, SYN_OR_ACK),
        (JUMP_IF_EQUAL, 1, 0, SYN),
        passing,
        (LOAD_HALF, 0, 0, PROTOCOL),
        (JUMP_IF_EQUAL, 1, 0, IPV4),
        (JUMP, 0, 0, len(of_ipv4) + 1),
        *of_ipv4,
        passing,
        *of_ipv6,
        passing,
    ]


def drop_of(words: dict[int, int]) -> Iterator[Instruction]:
    """Yield what drops a packet that has these words at these places."""
    left = 2 * len(words)
    for place, word in words.items():
        left -= 2
        yield LOAD_WORD, 0, 0, place
        yield JUMP_IF_EQUAL, 0, left + 1, word
    yield RETURN, 0, 0, DROP
