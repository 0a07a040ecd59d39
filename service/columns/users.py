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
        # By part: the number of each row that may have a user, and how many users these are.
        self._parts: dict[uuid.UUID, tuple[Array, int]] = {}

    @property
    def size(self) -> int:
        """More than all numbers."""
        return len(self._codes.ids) + 1

    @property
    def is_stale(self) -> bool:
        """Whether most numbers are of users that are gone."""
        return self._codes.is_stale(sum(users for _, users in list(self._parts.values())))

    def id_of(self, code: int) -> int | None:
        return int(self._codes.ids[code - 1]) if code else None

    def of_part(self, token: uuid.UUID, part: PartColumns) -> Array:
        """Return the numbers of users of the rows `part.number_rows`, of live visits those of all rows."""
        known = self._parts.get(token)
        if known is None:
            is_live = len(part.ids) > 0
            user_ids = part.values("visitor", slice(0, len(part))) if is_live else part.user_id
            has_user = user_ids != NO_VISITOR if is_live else user_ids > 0
            codes = np.zeros(len(has_user), np.int32)
            codes[has_user] = self.of_users(user_ids[has_user])
            known = self._parts[token] = codes, len(distinct(codes))
        return known[0]

    def of_users(self, user_ids: Array) -> Array:
        """Return the numbers of users, some of which are new perhaps."""
        users, places = np.unique(user_ids, return_inverse=True)
        return np.asarray(self._codes.number(users)[places.reshape(-1)] + 1)

    def forget_all_but(self, tokens: Collection[uuid.UUID]) -> None:
        """Forget the parts that are not among these."""
        for token in self._parts.keys() - set(tokens):
            self._parts.pop(token, None)
