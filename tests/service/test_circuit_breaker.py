from service.circuit_breaker import CircuitBreaker
from tests.support.clock import Clock

PAUSE = 2.0


def open_breaker(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(threshold=3, pause=PAUSE, clock=clock)
    for _ in range(3):
        assert breaker.seconds_refused("call") == 0
        breaker.record_failure()
    return breaker


def test_only_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker(threshold=3, pause=PAUSE, clock=Clock())
    for _ in range(3):
        breaker.record_failure()
        breaker.record_failure()
        assert breaker.is_closed
        breaker.record_success()
    assert (breaker.seconds_open(), breaker.seconds_refused("call")) == (0, 0)


def test_while_it_is_open_no_call_goes_through() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    assert not breaker.is_closed
    assert breaker.seconds_refused("call") == PAUSE
    clock.now += PAUSE / 2
    assert breaker.seconds_refused("call") == breaker.seconds_open() == PAUSE / 2


def test_while_it_is_half_open_one_call_at_a_time_goes_through() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now += PAUSE
    assert breaker.seconds_refused("probe") == 0
    assert breaker.seconds_refused("another") == PAUSE
    breaker.release("another")
    assert breaker.seconds_refused("another") == PAUSE
    breaker.release("probe")
    assert breaker.seconds_refused("another") == 0


def test_a_probe_closes_it_or_opens_it_again() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now += PAUSE
    assert breaker.seconds_refused("probe") == 0
    breaker.record_failure()
    breaker.release("probe")
    assert breaker.seconds_refused("call") == PAUSE
    clock.now += PAUSE
    assert breaker.seconds_refused("second probe") == 0
    breaker.record_success()
    breaker.release("second probe")
    assert breaker.is_closed
    assert breaker.seconds_refused("call") == breaker.seconds_refused("another") == 0
