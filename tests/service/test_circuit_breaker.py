from service.circuit_breaker import CircuitBreaker
from tests.support.fake_clock import Clock

PAUSE = 2.0


def open_breaker(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(threshold=3, pause=PAUSE, clock=clock)
    for _ in range(3):
        assert breaker.admit("call")
        breaker.record_failure()
    return breaker


def test_only_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker(threshold=3, pause=PAUSE, clock=Clock())
    for _ in range(3):
        breaker.record_failure()
        breaker.record_failure()
        assert breaker.is_closed
        breaker.record_success()
    assert breaker.admit("call")
    assert breaker.seconds_open() == 0


def test_while_the_breaker_is_open_no_call_goes_through() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    assert not breaker.is_closed
    clock.now += PAUSE / 2
    assert not breaker.admit("call")
    assert breaker.seconds_open() == PAUSE / 2


def test_while_the_breaker_is_half_open_one_call_at_a_time_goes_through() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now += PAUSE
    assert breaker.admit("probe")
    assert not breaker.admit("another")
    breaker.release("another")
    assert not breaker.admit("another")
    breaker.release("probe")
    assert breaker.admit("another")


def test_a_probe_closes_the_breaker_or_opens_it_again() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now += PAUSE
    assert breaker.admit("probe")
    breaker.record_failure()
    breaker.release("probe")
    assert not breaker.admit("call")
    assert breaker.seconds_open() == PAUSE
    clock.now += PAUSE
    assert breaker.admit("second probe")
    breaker.record_success()
    breaker.release("second probe")
    assert breaker.is_closed
    assert breaker.admit("call")
    assert breaker.admit("another")
