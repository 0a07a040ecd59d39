"""Bounds that several layers need, and that the import contracts keep them from sharing."""

import calendar_days
from api import limits, tasks
from clients import film_records
from db.models import base
from db.models import tasks as task_models
from embedded import disk_guard
from service.logs import shop_format
from telemetry import disk


def test_all_layers_have_the_same_largest_integer() -> None:
    others = {base.MAX_BIGINT, film_records.MAX_ID, shop_format.MAX_NUMBER}
    assert others == {limits.MAX_INTEGER}


def test_all_layers_have_the_same_first_time() -> None:
    assert {calendar_days.FIRST_TIME, shop_format.EARLIEST} == {limits.FIRST_TIME}


def test_a_task_can_have_each_priority_that_the_database_orders() -> None:
    assert tasks.PRIORITIES == task_models.PRIORITIES


def test_both_who_look_at_the_disk_have_the_same_bound() -> None:
    assert disk_guard.LIMITS.enough == disk.WRITABLE_BYTES
