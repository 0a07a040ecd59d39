"""Numbers the users of events, so that statistics count with small numbers instead of ids."""

import uuid
from collections.abc import Collection
from threading import Lock

import numpy as np

from db.array_files import Array

SPARE = 100_000  # numbers of users that no part has any more, before all are numbered anew


class UserCodes:
    """A number for each user, from 0, for as long as the object lives. Threads may share it."""

    def __init__(self) -> None:
        self._ids = np.empty(0, np.int64)  # in order
        self._codes = np.empty(0, np.int32)  # of each of them
        self._by_code = np.empty(0, np.int64)
        self._parts: dict[uuid.UUID, Array] = {}
        self._lock = Lock()

    @property
    def ids(self) -> Array:
        """The ids of users by number. It only ever grows."""
        return self._by_code

    def is_stale(self, users: int) -> bool:
        """Return whether most numbers are of users that are gone, if parts name `users` in all."""
        return len(self._by_code) > 2 * users + SPARE

    def drop_all_but(self, tokens: Collection[uuid.UUID]) -> None:
        """Drop the parts that are not among these."""
        with self._lock:
            for token in self._parts.keys() - set(tokens):
                del self._parts[token]

    def number(self, users: Array, token: uuid.UUID | None = None) -> Array:
        """Return the numbers of users.

        :param users: ids in order, each once
        :param token: of the part whose users these are, for the next time
        """
        with self._lock:
            codes = None if token is None else self._parts.get(token)
            if codes is None:
                codes = self._number(users)
                if token is not None:
                    self._parts[token] = codes
            return codes

    def _number(self, users: Array) -> Array:
        """Return the numbers of users, after giving new ones to those that have none."""
        places = np.searchsorted(self._ids, users)
        is_new = np.ones(len(users), np.bool_)
        inside = places < len(self._ids)
        is_new[inside] = self._ids[places[inside]] != users[inside]
        new = users[is_new]
        if len(new):
            first = len(self._by_code)
            self._by_code = np.concatenate([self._by_code, new])
            codes = np.arange(first, first + len(new), dtype=np.int32)
            self._codes = np.insert(self._codes, places[is_new], codes)
            self._ids = np.insert(self._ids, places[is_new], new)
        return self._codes[np.searchsorted(self._ids, users)]
