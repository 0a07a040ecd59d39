import pytest

from service.cache import Cache
from service.security.rate_limits import WINDOW, LocalCounters, UsedUp, count_crowd, count_request, network
from tests.support.fake_clock import Clock


async def test_requests_are_counted_until_the_window_ends(cache: Cache) -> None:
    first = await count_request(cache, "rate:default:user:1", 2)
    assert (first.count, first.remaining, first.exceeded) == (1, 1, False)
    assert WINDOW - 1 <= first.reset <= WINDOW
    await count_request(cache, "rate:default:user:1", 2)
    third = await count_request(cache, "rate:default:user:1", 2)
    assert (third.remaining, third.exceeded) == (0, True)
    await cache.run("PEXPIRE", "rate:default:user:1", 0)
    assert (await count_request(cache, "rate:default:user:1", 2)).count == 1


async def test_requests_that_are_counted_together_are_counted_one_by_one(cache: Cache) -> None:
    await count_request(cache, "rate:collect:address:a", 2)
    counters = [f"rate:collect:address:{name}" for name in "abaa"]
    allowances = await count_crowd(cache, UsedUp(), 2, counters)
    assert [allowance.count for allowance in allowances] == [2, 1, 3, 4]
    assert [allowance.exceeded for allowance in allowances] == [False, False, True, True]
    assert all(WINDOW - 1 <= allowance.reset <= WINDOW for allowance in allowances)


async def test_a_counter_over_its_limit_is_known_until_its_window_ends(cache: Cache) -> None:
    clock = Clock(1000.0)
    used_up = UsedUp(clock)
    await count_crowd(cache, used_up, 2, ["a", "a", "b"])
    assert [used_up.find(name, 2) for name in "ab"] == [None, None]  # used, not used up
    await cache.run("PEXPIRE", "a", 7500)
    await count_crowd(cache, used_up, 2, ["a"])
    known = used_up.find("a", 2)
    assert known is not None
    assert (known.exceeded, known.remaining, known.reset) == (True, 0, 8)
    clock.now = 1007.6
    assert used_up.find("a", 2) is None


def test_counters_over_their_limits_stay_few() -> None:
    clock = Clock(1000.0)
    used_up = UsedUp(clock, max_counters=2)
    for name in "abc":
        used_up.note(name, 1060.0)
    assert [used_up.find(name, 1) is None for name in "abc"] == [False, False, True]
    clock.now = 1061.0
    used_up.note("c", 1100.0)
    assert [used_up.find(name, 1) is None for name in "abc"] == [True, True, False]


async def test_a_counter_that_lost_its_end_gets_one(cache: Cache) -> None:
    await cache.run("SET", "rate:default:user:1", 7)
    again = await count_request(cache, "rate:default:user:1", 5)
    assert (again.count, again.reset) == (8, WINDOW)
    assert await cache.run("PTTL", "rate:default:user:1") > 0


def test_local_counters_end_with_their_window() -> None:
    clock = Clock(1000.0)
    counters = LocalCounters(clock=clock)
    assert counters.peek("a") == (0, 0)
    assert [counters.count("a", 60) for _ in range(2)] == [(1, 60_000), (2, 60_000)]
    assert counters.count("b", 60)[0] == 1
    clock.now = 1059.0
    assert counters.peek("a") == (2, 1000)
    clock.now = 1060.0
    assert counters.peek("a") == (0, 0)
    assert counters.count("a", 60) == (1, 60_000)


def test_local_counters_stay_few() -> None:
    counters = LocalCounters(max_counters=10)
    for number in range(100):
        counters.count(str(number), 60)
    assert len(counters._counters) <= 10
    assert counters.peek("99")[0] == 1


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [(None, "local"), ("192.0.2.1", "192.0.2.1"), ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::")],
)
def test_a_network_is_counted_as_one(address: str | None, counted_as: str) -> None:
    assert network(address) == counted_as
