"""Writes .mmdb files of one network: the MaxMind DB format, as far as a test needs it."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"
SEPARATOR = bytes(16)


def write_mmdb(path: Path, network: str, value: Any, *, ip_version: int) -> None:
    """Write a file that knows `value` for the addresses of one network, and nothing else."""
    block = ip_network(network)
    bits = f"{int(block.network_address):0{block.max_prefixlen}b}"[: block.prefixlen]
    if ip_version == 6 and block.version == 4:
        bits = "0" * 96 + bits
    nodes = len(bits)
    records = []
    for depth, bit in enumerate(bits):
        # A record is the next node, nothing (the number of nodes), or a place behind the separator.
        record = depth + 1 if depth + 1 < nodes else nodes + 16
        records.append((nodes, record) if bit == "1" else (record, nodes))
    tree = b"".join(record.to_bytes(3) for pair in records for record in pair)
    metadata = {
        "binary_format_major_version": unsigned(5, 2),
        "binary_format_minor_version": unsigned(5, 0),
        "build_epoch": bytes([1, 9 - 7, 1]),
        "database_type": "Test",
        "description": {"en": "test"},
        "ip_version": unsigned(5, ip_version),
        "languages": [],
        "node_count": unsigned(6, nodes),
        "record_size": unsigned(5, 24),
    }
    path.write_bytes(tree + SEPARATOR + encode(value) + MARKER + encode(metadata))


def unsigned(kind: int, number: int) -> bytes:
    """Encode a number of a byte: kind 5 has 16 bits, kind 6 has 32."""
    return bytes([kind << 5 | 1, number])


def encode(value: Any) -> bytes:
    """Encode a value as the data section has it: bytes are encoded already; texts and maps are short."""
    match value:
        case str():
            raw = value.encode()
            return bytes([2 << 5 | len(raw)]) + raw
        case bytes():
            return value
        case dict():
            return bytes([7 << 5 | len(value)]) + b"".join(
                encode(part) for pair in value.items() for part in pair
            )
        case list():
            return bytes([len(value), 11 - 7]) + b"".join(map(encode, value))
        case _:
            raise TypeError(value)
