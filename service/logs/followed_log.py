"""The lines of a watched file, in chunks. It goes back to any chunk that may not have been stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from service.logs.chunks import CHUNK_BYTES, Chunk, LogFile, Position
from service.logs.first_line import NO_FIRST_LINE, digest_first_line
from service.logs.format_options import FormatOptions
from service.logs.watched_file import WatchedFile

TURN_CHUNKS = 8  # read before other files have their turn


@dataclass(frozen=True, slots=True)
class ReadState:
    """Where reading stands, and all that it needs to go on from there."""

    position: Position
    digest: Any  # hashlib's objects have no public class
    head: bytes
    tail: bytes


class FollowedLog(LogFile):
    """Reads a file that grows, a turn at a time. The file may be cut between two turns."""

    def __init__(self, file: WatchedFile, *, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._file = file
        super().__init__(cast(BinaryIO, file), chunk_bytes=chunk_bytes)
        self._states = [self._state()]
        self._turn_begin, self._turn_bytes = -1, 0
        self._first_line = NO_FIRST_LINE

    def first_line(self, formats: FormatOptions) -> bytes | None:
        """Return the digest of the first line that fits; None while there may still come one."""
        if self._first_line == NO_FIRST_LINE:
            self._file.turn_end = None
            self._file.seek(self._file.hole)
            self._first_line, is_decided = digest_first_line(self._stream, formats)
            return self._first_line if is_decided else None
        return self._first_line

    def seek(self, position: Position) -> bool:
        """Go to the position, also where a cut has removed what stood before it.

        False if what stood before it has changed. A cut file goes on where it was stored to instead of that:
        nothing else of it can be read any more.
        """
        is_same = True
        if position != self.position:
            if self._file.is_cut:
                self._go_back(position)
            else:
                self._file.turn_end = None
                self._file.seek(0)
                self._reset()
                is_same = self.skip_to(position)
        self._states = [self._state()]
        self._file.seek(self.offset)
        self._file.release(self.offset)
        self._begin_turn()
        return is_same

    def chunks(self) -> Iterator[Chunk]:
        """Read the rest of the turn."""
        for chunk in super().chunks():
            self._states.append(self._state())
            yield chunk

    def has_lines(self) -> bool:
        """Return whether there is more to read."""
        return self._file.has_lines(self.offset, partial=self.accepts_partial_line)

    def _begin_turn(self) -> None:
        """Bound what is read in this turn: more than in the last one, if that met a line that is longer."""
        is_stuck = self.offset == self._turn_begin
        self._turn_begin = self.offset
        self._turn_bytes = 2 * self._turn_bytes if is_stuck else TURN_CHUNKS * self._chunk_bytes
        self._file.turn_end = self.offset + self._turn_bytes

    def _state(self) -> ReadState:
        return ReadState(self.position, self._digest.copy(), self._head, self._tail)

    def _go_back(self, position: Position) -> None:
        """Go back to the state at the position, or to that at which the turn began.

        A new parser begins there. It can't see the lines before, so it takes equal lines of one second on
        both sides for one.
        """
        states = (state for state in self._states if state.position == position)
        state = next(states, self._states[0])
        self._digest = state.digest.copy()
        self.offset, self._line = state.position.offset, state.position.line
        self._head, self._tail = state.head, state.tail
        self.parser = None
