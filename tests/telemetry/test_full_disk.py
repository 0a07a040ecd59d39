"""Metrics on a full disk: they are counted in memory, and never end the process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import PIPE

import pytest

from telemetry import metrics_folder, value_files
from telemetry.metrics_folder import find_folder, open_folder
from telemetry.value_files import FIRST_BYTES, KINDS
from tests.support.command_line import PROJECT
from tests.support.small_disk import fill, small_disk

# Counts some, fills the disk when told to, and goes on counting.
WORKER = """
import sys; from pathlib import Path
from telemetry import metrics, multiprocess
multiprocess.store_in(Path(sys.argv[1]), 'worker-1')
metrics.count_ingested('events', 5)
print(flush=True); input()
metrics.count_ingested('events', 2)
for number in range(3000):
    metrics.observe_request(f'/route/{number}', 'GET', 200, 0.1)
    metrics.observe_request(f'/route/{number}', 'GET', 200, 0.1)
text = multiprocess.exposition().decode()
print([line for line in text.splitlines() if line.startswith('trawl_events_taken_total')])
print(metrics.request_count())
"""
# The same through the library's own files.
SPARSE = """
import os, sys
os.environ['PROMETHEUS_MULTIPROC_DIR'] = sys.argv[1]
from telemetry import metrics
metrics.count_ingested('events', 5)
print(flush=True); input()
for number in range(3000):
    metrics.observe_request(f'/route/{number}', 'GET', 200, 0.1)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "1m") as disk:
        yield disk


def run_until_full(script: str, disk: Path) -> tuple[int, str, str]:
    """Run a script that stops at a line of input, which it gets when the disk is full."""
    command = [sys.executable, "-c", script, str(disk)]
    with subprocess.Popen(command, cwd=PROJECT, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        fill(disk)
        output, errors = process.communicate("\n")
    return process.returncode, output, errors


@pytest.mark.slow
def test_a_disk_that_fills_under_the_metrics_ends_no_process(disk: Path) -> None:
    code, output, errors = run_until_full(WORKER, disk)
    warning, *lines = output.splitlines()
    assert (code, lines) == (0, ["['trawl_events_taken_total 7.0']", "6000"]), errors
    assert "metrics_incomplete" in warning
    assert "No space left on device" in warning


def test_the_librarys_own_files_would_end_it(disk: Path) -> None:
    """So that the test above can fail."""
    assert run_until_full(SPARSE, disk)[0] == -signal.SIGBUS


def test_without_room_for_the_first_file_a_process_counts_for_itself(disk: Path) -> None:
    fill(disk)
    code, output, errors = run_until_full(WORKER, disk)
    assert (code, output.splitlines()[-2:]) == (0, ["['trawl_events_taken_total 7.0']", "6000"]), errors
    assert "metrics_incomplete" not in output


def test_the_folder_is_where_there_is_room(disk: Path, tmp_path: Path) -> None:
    places = [disk / "a-", tmp_path / "disk of the data" / "b-"]
    with open_folder(places) as folder:
        assert folder is not None
        assert (folder.parent, folder.stat().st_mode & 0o777) == (disk, 0o700)
        assert find_folder(places) == folder
    assert (list(disk.iterdir()), find_folder(places)) == ([], None)
    fill(disk)
    with open_folder(places) as folder:
        assert folder is not None
        assert folder.parent == places[1].parent
    with open_folder([disk / "a-", tmp_path / "no-folder\0" / "c-"][:1]) as folder:
        assert folder is None


def test_what_killed_servers_left_is_removed_and_what_living_ones_have_is_not(tmp_path: Path) -> None:
    script = "import os, sys; from pathlib import Path; from telemetry.metrics_folder import open_folder\n"
    script += "with open_folder([Path(sys.argv[1])]) as folder:\n  print(folder, flush=True); input()"
    command = [sys.executable, "-c", script, str(tmp_path / "a-")]
    process = subprocess.Popen(command, cwd=PROJECT, text=True, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    other = Path(process.stdout.readline().strip())
    (tmp_path / "a-of-nobody").mkdir()
    with open_folder([tmp_path / "a-"]) as folder:
        assert {path.name for path in tmp_path.iterdir()} == {other.name, folder.name if folder else None}
        process.kill()
        process.communicate()
        assert find_folder([tmp_path / "a-"]) == folder
    assert list(tmp_path.iterdir()) == [other]
    with open_folder([tmp_path / "a-"]):
        assert not other.exists()


def test_a_file_is_allocated_whole_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(value_files.ValueFiles(tmp_path, "w")) as files:
        for kind in KINDS:
            stat = (tmp_path / f"{kind}_w.db").stat()
            assert stat.st_blocks * 512 >= stat.st_size == FIRST_BYTES
        monkeypatch.setattr(value_files, "MAX_BYTES", 2 * FIRST_BYTES)
        made = [files("counter", "m", "m_total", ["l"], [str(number)], "x" * 500) for number in range(1000)]
        stat = (tmp_path / "counter_w.db").stat()
        assert stat.st_blocks * 512 >= stat.st_size == 2 * FIRST_BYTES
        made[0].inc(1)
        made[-1].inc(1)
        assert [value.get() for value in (made[0], made[-1])] == [1, 1]
    with closing(value_files.ValueFiles(tmp_path, "w")) as files:
        values = [files("counter", "m", "m_total", ["l"], [text], "x" * 500).get() for text in ("0", "999")]
    assert values == [1, 0]  # the last one had no room, and was counted in memory


def test_a_servers_folder_is_in_memory_where_there_is_some() -> None:
    places = metrics_folder.candidates(Path("var"))
    assert [place.parent for place in places] == [Path("/dev/shm"), Path("var/metrics")]
    assert places[0] == metrics_folder.candidates(Path("var").absolute())[0]
    assert places[0] != metrics_folder.candidates(Path("other"))[0]
