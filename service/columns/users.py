"""The users of parts as numbers, found once a part."""

import uuid
from collections.abc import Collection

import numpy as np

from db.event_users import UserCodes
from db.part_files import NO_VISITOR, Array, PartColumns
from db.unique import distinct


class UserTable:
    """A number for each user, from 1; 0 stands for none. Threads may share it."""

    def __init__(self) -> None:
        self._codes = UserCodes()
        # By part: the rows that have a user, the number of each, and how many users these are.
        self._parts: dict[uuid.UUID, tuple[Array, Array, int]] = {}

    @property
    def size(self) -> int:
        """More than all numbers."""
        return len(self._codes.ids) + 1

    @property
    def is_stale(self) -> bool:
        """Whether most numbers are of users that are gone."""
        return self._codes.is_stale(sum(users for *_, users in list(self._parts.values())))

    def id_of(self, code: int) -> int | None:
        return int(self._codes.ids[code - 1]) if code else None

    def of_part(self, token: uuid.UUID, part: PartColumns) -> tuple[Array, Array]:
        """Return the rows of a part that have a user, of live visits a visitor, and the number of each."""
        known = self._parts.get(token)
        if known is None:
            if len(part.ids):
                user_ids = part.values("visitor", slice(0, len(part)))
                rows = np.flatnonzero(user_ids != NO_VISITOR).astype(np.int32)
                codes = self.of_users(user_ids[rows])
            else:
                has_user = part.user_id > 0
                rows, codes = part.number_rows[has_user], self.of_users(part.user_id[has_user])
            known = self._parts[token] = rows, codes, len(distinct(codes))
        return known[:2]

    def of_users(self, user_ids: Array) -> Array:
        """Return the numbers of users, some of which are new perhaps."""
        users, places = np.unique(user_ids, return_inverse=True)
        return np.asarray(self._codes.number(users)[places.reshape(-1)] + 1)

    def drop_all_but(self, tokens: Collection[uuid.UUID]) -> None:
        """Drop the parts that are not among these."""
        for token in self._parts.keys() - set(tokens):
            self._parts.pop(token, None)
