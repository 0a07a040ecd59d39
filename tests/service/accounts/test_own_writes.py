"""The positions of accounts' last writes in Valkey, and what is known when Valkey is away or was emptied."""

from dataclasses import replace

from db.database import Database
from service.accounts.own_writes import find_position, note_write, put
from service.cache import Cache
from service.deps import Deps

NOWHERE = "redis://127.0.0.1:1"


async def test_the_furthest_position_of_an_account_counts_in_whatever_order_writes_are_noted(
    cache: Cache,
) -> None:
    assert await find_position(cache, 1, fresh=0) is None  # positions are kept from now on
    for position in (200, 2**45 + 1, 100):
        await put(cache, 1, position)
    assert await find_position(cache, 1, fresh=0) == 2**45 + 1
    assert await find_position(cache, 2, fresh=0) == 0


async def test_a_valkey_that_was_emptied_knows_nothing_for_a_while(cache: Cache) -> None:
    await put(cache, 1, 100)
    for _ in range(2):
        assert await find_position(cache, 1, fresh=600) is None


async def test_without_valkey_nothing_is_known() -> None:
    away = Cache.connect(NOWHERE)
    assert await find_position(away, 1) is None
    await away.close()


async def test_a_write_is_noted_behind_its_commit(deps: Deps, committed_db: Database, cache: Cache) -> None:
    before = await committed_db.select_position()
    await find_position(cache, 1, fresh=0)
    await note_write(replace(deps, db=committed_db), 1)
    position = await find_position(cache, 1, fresh=0)
    assert position is not None
    assert before <= position <= await committed_db.select_position()
