"""Writes arrays as PostgreSQL's text of them, for a parameter that a statement casts from text.

asyncpg encodes a list element by element in Python, which takes some ten times as long.

A condition takes the cast from a SELECT: `= ANY(CAST((SELECT CAST(CAST($1 AS text) AS int[])) AS int[]))`.
That is evaluated once. Where PostgreSQL reads a whole table, as it may while that is new, it evaluates a bare
cast for each row: an import of 640,000 lines took it 9 s of CPU instead of 1.
"""

from collections.abc import Iterable, Sequence

DIGEST_BYTES = 32
ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\"})


def array_literal(values: Iterable[str | int | None]) -> str:
    """Write numbers, or texts that need no quotes."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


def number_array(numbers: Sequence[int | None]) -> str:
    """Write whole numbers, ten times as fast as `array_literal`."""
    return f"{{{str(list(numbers))[1:-1].replace('None', 'NULL')}}}"


def text_array(texts: Sequence[str | None]) -> str:
    """Write any texts, of which none has a NUL."""
    if not texts:
        return "{}"
    if None not in texts:
        joined = '","'.join(texts)  # type: ignore[arg-type]  # there is no None
        if "\\" not in joined and joined.count('"') == 2 * (len(texts) - 1):
            return f'{{"{joined}"}}'
    return array_literal(None if text is None else f'"{text.translate(ESCAPES)}"' for text in texts)


def digest_array(digests: Sequence[bytes]) -> str:
    """Write digests of 32 bytes, as elements of a bytea[]."""
    if not digests:
        return "{}"
    elements = b"".join(digests).hex(",", DIGEST_BYTES).replace(",", r'","\\x')
    return rf'{{"\\x{elements}"}}'
