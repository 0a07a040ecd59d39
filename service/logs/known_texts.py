"""Numbers for the texts that lines repeat, such as addresses and URLs: each distinct text is parsed once.

A text is looked up by its hash, and then compared word by word with the known one: two texts are never taken
for each other. The multipliers of the hash are drawn anew by each process, so that nobody can write a log
whose texts all have one hash.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from service.logs.chunk_text import FIRST_BYTES, WORD, ChunkText, Mask, Places, Words

MAX_BYTES = 2_048  # of a text that is looked up
TEXT_BYTES = 150  # that a text takes beside its bytes: itself, and in a dict
UNKNOWN = -2  # no number of a name, and not TEMPLATE_PAGE
SLOT_BITS = 17
MULTIPLIERS = np.random.default_rng().integers(
    2**63, size=MAX_BYTES // WORD + 2, dtype=np.uint64
) * np.uint64(2) + np.uint64(1)
HALF = np.uint64(32)
SLOT_SHIFT = np.uint64(64 - SLOT_BITS)

Parse = Callable[[list[bytes]], Sequence[int]]
TextWords = list[tuple[npt.NDArray[np.intp] | slice, Words]]  # the rows that are so long, and their words


class KnownTexts:
    """The texts met so far, each with the number that `parse` gave it, which is UNKNOWN for a bad one."""

    def __init__(self, parse: Parse) -> None:
        """`parse` takes distinct new texts."""
        self._parse = parse
        self.clear()

    def clear(self) -> None:
        """Start anew without any text."""
        self._hashes = np.zeros(0, np.uint64)  # sorted
        self._ranks = np.zeros(0, np.int64)  # of the text with each of the hashes
        self._recent = np.zeros(1 << SLOT_BITS, np.int64)  # a text by some bits of its hash
        self._claims = np.zeros(1 << SLOT_BITS, np.int64)
        self._numbers = np.full(1, UNKNOWN, np.int64)  # of each text; the first is none
        self._lengths = np.full(1, -1, np.int64)
        self._word_at = np.zeros(1, np.int64)  # where the text begins in `_words`
        self._words = np.zeros(1, np.uint64)

    @property
    def size(self) -> int:
        """How many bytes the known texts take, about."""
        return self._words.nbytes + 48 * len(self._numbers)

    def get(self, text: ChunkText, starts: Places, ends: Places) -> Places:
        """Return the number of each of these texts of a chunk; UNKNOWN for bad, empty and too long ones."""
        lengths = ends - starts
        ranks = np.zeros(len(starts), np.int64)
        rows = np.flatnonzero((lengths > 0) & (lengths <= MAX_BYTES))
        while len(rows):
            ranks[rows], is_known = self._match(text, starts[rows], lengths[rows])
            rows = rows[~is_known]
        return self._numbers[ranks]

    def _match(self, text: ChunkText, starts: Places, lengths: Places) -> tuple[Places, Mask]:
        """Return the ranks of texts, and which are known by now: all, or all but some of the new ones."""
        words = text_words(text, starts, lengths)
        hashes = hash_words(words, lengths)
        slots = (hashes >> SLOT_SHIFT).view(np.int64)
        ranks = self._recent[slots]
        is_known = self._equal(ranks, words, lengths)
        # Each known text was put into its slot. One that is not there any more has another text there.
        replaced = np.flatnonzero(~is_known & (ranks != 0))
        if len(replaced):
            ranks[replaced] = self._search(hashes[replaced])
            is_known = self._equal(ranks, words, lengths)
        others = np.flatnonzero(~is_known)
        if not len(others):
            return ranks, is_known
        self._claims[slots[others]] = others
        new = others[self._claims[slots[others]] == others]  # one a slot, so that they are distinct
        self._recent[slots[new]] = self._add(
            hashes[new], text.slices(starts[new], starts[new] + lengths[new])
        )
        ranks[others] = self._recent[slots[others]]
        return ranks, self._equal(ranks, words, lengths)

    def _search(self, hashes: Words) -> Places:
        """Return the rank of the text that has each hash; any, where none has."""
        if not len(self._hashes):
            return np.zeros(len(hashes), np.int64)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return self._ranks[at]

    def _equal(self, ranks: Places, words: TextWords, lengths: Places) -> Mask:
        """Return which texts are those with these ranks."""
        is_equal: Mask = self._lengths[ranks] == lengths
        word_at = self._word_at[ranks]
        for index, (rows, part) in enumerate(words):
            # A text that is shorter than its line's is unequal already; whatever stands there may be read.
            known_at = np.minimum(word_at[rows] + index, len(self._words) - 1)
            is_equal[rows] &= self._words[known_at] == part
        return is_equal

    def _add(self, hashes: Words, texts: list[bytes]) -> Places:
        """Add distinct new texts, and return their ranks."""
        numbers = np.asarray(self._parse(texts), np.int64)
        lengths = np.array([len(text) for text in texts], np.int64)
        padded = b"".join([text + bytes(-len(text) % WORD) for text in texts])
        word_counts = (lengths + WORD - 1) // WORD
        ranks = np.arange(len(texts)) + len(self._numbers)
        word_at = len(self._words) + np.cumsum(word_counts) - word_counts
        self._numbers = np.concatenate([self._numbers, numbers])
        self._lengths = np.concatenate([self._lengths, lengths])
        self._word_at = np.concatenate([self._word_at, word_at])
        self._words = np.concatenate([self._words, np.frombuffer(padded, "<u8")])
        all_hashes = np.concatenate([self._hashes, hashes])
        order = np.argsort(all_hashes, kind="stable")
        self._hashes = all_hashes[order]
        self._ranks = np.concatenate([self._ranks, ranks])[order]
        return ranks


class LongTexts:
    """The same as KnownTexts, and faster where texts have some 50 bytes and more: by a dict of slices."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self.clear()

    def clear(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self.size = 0

    def get(self, text: ChunkText, starts: Places, ends: Places) -> Places:
        """Return the number of each of these texts of a chunk; UNKNOWN for bad and too long ones."""
        slices = text.slices(starts, ends)
        try:
            return self._numbers_of(slices)
        except KeyError:
            self._add(sorted(set(slices) - self._numbers.keys()))
        return self._numbers_of(slices)

    def _numbers_of(self, slices: list[bytes]) -> Places:
        return np.fromiter(map(self._numbers.__getitem__, slices), np.int64, len(slices))

    def _add(self, new: list[bytes]) -> None:
        good = [raw for raw in new if len(raw) <= MAX_BYTES]
        self._numbers.update(dict.fromkeys(new, UNKNOWN))
        self._numbers.update(zip(good, self._parse(good), strict=True))
        self.size += sum(len(raw) + TEXT_BYTES for raw in new)


def text_words(text: ChunkText, starts: Places, lengths: Places) -> TextWords:
    """Return the first word of all texts, the second of those that have one, and so on, filled with zeros."""
    words: TextWords = []
    shortest, longest = int(lengths.min()), int(lengths.max())
    rows: npt.NDArray[np.intp] | slice = slice(None)
    for offset in range(0, longest, WORD):
        if offset >= shortest:
            rows = np.flatnonzero(lengths > offset)
        [part] = text.words(starts[rows] + offset)
        if shortest < offset + WORD:
            part &= FIRST_BYTES[np.minimum(lengths[rows] - offset, WORD)]
        words.append((rows, part))
    return words


def hash_words(words: TextWords, lengths: Places) -> Words:
    """Return the hash of each text: of its words and its length."""
    hashes: Words = lengths.astype(np.uint64) * MULTIPLIERS[-1]
    for (rows, part), multiplier in zip(words, MULTIPLIERS, strict=False):
        hashes[rows] += (part ^ (part >> HALF)) * multiplier
    hashes ^= hashes >> HALF
    hashes *= MULTIPLIERS[-2]
    return hashes
