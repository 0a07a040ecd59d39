"""Gunzips a body in a thread, a piece at a time: neither the event loop nor memory depends on its size."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from sanic.exceptions import BadRequest

from service.bounds.bodies import BodyShare

PIECE = 1024 * 1024  # bytes that a call in a thread returns at most
# Bytes that are given to zlib at a time. It copies what follows the end of a member, so a body of many small
# ones would be copied over and over.
INPUT = 16 * 1024


class Gunzipper:
    """Gunzips one or more members that follow each other. Nothing at all is neither a member nor an error."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=31)
        self._has_begun = False
        self._has_output = False  # that did not fit, though all input was consumed
        self._input = memoryview(b"")

    @property
    def has_more(self) -> bool:
        """Return whether there is more to gunzip before the next bytes are added."""
        return bool(self._input) or self._has_output

    @property
    def is_broken_off(self) -> bool:
        """Return whether the last member is not complete."""
        return self._has_begun and not self._decompressor.eof

    def add(self, data: bytes) -> None:
        """Add the next bytes; only when there is no more."""
        self._input = memoryview(data)

    def next_piece(self) -> bytes:
        """Gunzip up to PIECE bytes.

        :raises zlib.error: this is not gzip
        """
        pieces: list[bytes] = []
        space = PIECE
        while space and self.has_more:
            piece = self._decompress(space)
            space -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def _decompress(self, space: int) -> bytes:
        if self._decompressor.eof:
            self._decompressor = zlib.decompressobj(wbits=31)
        self._has_begun = True
        data = self._input[:INPUT]
        piece = self._decompressor.decompress(data, space)
        is_complete = self._decompressor.eof
        rest = self._decompressor.unused_data if is_complete else self._decompressor.unconsumed_tail
        self._input = self._input[len(data) - len(rest) :]
        self._has_output = len(piece) == space and not is_complete
        return piece


async def gunzip(chunks: AsyncIterator[bytes], share: BodyShare) -> AsyncIterator[bytes]:
    """Yield what the chunks of a gzip body hold.

    :raises BadRequest: they are not gzip, or end within a member
    """
    gunzipper = Gunzipper()
    async for chunk in chunks:
        share.hold(len(chunk))
        gunzipper.add(chunk)
        while gunzipper.has_more:
            try:
                piece = await asyncio.to_thread(gunzipper.next_piece)
            except zlib.error:
                raise BadRequest("the body is not gzip") from None
            if piece:
                yield piece
        share.release(len(chunk))
    if gunzipper.is_broken_off:
        raise BadRequest("the gzip body breaks off")
