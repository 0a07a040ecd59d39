"""How far behind a replica is, told by its position in the primary's log and a clock of one's own."""

from db.replication import SAMPLES, Progress


def test_a_replica_that_has_all_is_not_behind_however_quiet_the_primary_is() -> None:
    progress = Progress()
    progress.note_written(100, 0.0)
    progress.note_replayed(100)
    progress.note_written(100, 500.0)
    assert progress.has_caught_up
    assert progress.lag(1000.0) == 0


def test_the_lag_is_counted_from_when_the_primary_went_beyond_the_replica() -> None:
    progress = Progress()
    for moment, position in ((0.0, 100), (1.0, 200), (2.0, 300)):
        progress.note_written(position, moment)
    progress.note_replayed(100)
    assert progress.lag(5.0) == 4
    progress.note_replayed(250)
    assert progress.lag(5.0) == 3
    progress.note_replayed(300)
    assert progress.lag(5.0) == 0


def test_a_replica_that_was_behind_before_anybody_looked_has_not_caught_up() -> None:
    progress = Progress()
    progress.note_replayed(50)
    progress.note_written(100, 0.0)
    progress.note_replayed(99)
    assert not progress.has_caught_up
    progress.note_replayed(100)
    assert progress.has_caught_up


def test_a_long_lag_is_told_in_flat_memory() -> None:
    progress = Progress()
    for moment in range(10 * SAMPLES):
        progress.note_written(100 + moment, float(moment))
    progress.note_replayed(99)
    assert progress.lag(10.0 * SAMPLES) == 10 * SAMPLES
    assert len(progress._ahead) <= SAMPLES + 1
