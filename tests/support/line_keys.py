"""The keys of lines that have none, one line after the other: what service/logs/line_keys.py does at once."""

from collections import Counter
from hashlib import sha256

from service.logs.chunks import without_marks
from service.logs.line_columns import digest_key


class LineKeys:
    """Makes the keys of lines, in the order of the file."""

    def __init__(self) -> None:
        self._counts = Counter[bytes]()

    def key(self, raw: bytes) -> int:
        digest = sha256(without_marks(raw).removesuffix(b"\r")).digest()[:10]
        self._counts[digest] += 1
        return digest_key(digest, self._counts[digest])
