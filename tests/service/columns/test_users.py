"""Numbers of users: the same for one user in all parts, and given up with the parts that name them."""

import uuid
from dataclasses import fields
from typing import Any

import numpy as np

from db import event_users
from db.part_files import PartColumns
from service.columns.users import UserTable


def part_of(user_ids: list[int]) -> PartColumns:
    values: dict[str, Any] = {field.name: np.empty(0, np.int64) for field in fields(PartColumns)}
    values |= {"user_id": np.array(user_ids, np.int64), "kinds": 0, "size": 0}
    values["number_rows"] = np.arange(len(user_ids), dtype=np.int32) * 10
    return PartColumns(**values)


def test_a_user_has_one_number_in_all_parts_and_among_live_visits() -> None:
    users = UserTable()
    rows, first = users.of_part(uuid.uuid4(), part_of([7, 0, 2**62, 7]))
    _, second = users.of_part(uuid.uuid4(), part_of([2**62, 5]))
    live = users.of_users(np.array([5, 7]))

    assert [users.id_of(code) for code in first.tolist()] == [7, 2**62, 7]
    assert rows.tolist() == [0, 20, 30]
    assert [users.id_of(code) for code in second.tolist()] == [2**62, 5]
    assert live.tolist() == [second[1], first[0]]
    assert max(*first, *second, *live) < users.size


def test_users_of_parts_that_are_gone_make_the_numbers_stale() -> None:
    users, kept, gone = UserTable(), uuid.uuid4(), uuid.uuid4()
    users.of_part(kept, part_of([1, 2, 3]))
    users.of_part(gone, part_of(list(range(1, 2 * event_users.SPARE))))
    assert not users.is_stale
    users.drop_all_but([kept])
    assert users.is_stale
