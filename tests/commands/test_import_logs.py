"""`main.py import` as a process: dry runs, rules, following, interruption."""

import asyncio
import gzip
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from embedded.database_files import tool_path
from tests.support.command_line import PROJECT, Command
from tests.support.log_imports import some_lines
from tests.support.processes import PATIENCE, eventually
from tests.support.shop_lines import LINES, LOG, one_line

ERASE_LINE = "\x1b[2K"  # which a progress bar does before it is drawn anew


@pytest.fixture
def shop_log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    path.write_text(LOG)
    return path


@pytest.mark.slow
def test_a_dry_run_imports_nothing_and_rules_read_another_shops_log(
    trawl: Command, shop_log: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text("[[page]]\nkind = 'category'\npath = '/list/(?P<category>.+)'\n")
    other = tmp_path / "access.log"
    other.write_text('8.8.8.8 - - [01/Aug/2018:00:00:00 +0000] "GET /list/fresh_fish HTTP/1.1" 200 12\n')
    code, output, _ = trawl.run("import", "--dry-run", str(shop_log))
    assert (code, "4 imported" in output, "(dry run)" in output) == (0, True, True)
    code, output, _ = trawl.run("import", "--rules", str(rules), str(shop_log), str(other))
    assert code == 0
    assert [line.split(": ")[2][:10] for line in output.splitlines()] == ["4 imported", "1 imported"]
    code, output, _ = trawl.run("report", "2")
    assert (code, "US" in output) == (0, True)
    rules.write_text("[[page]]\nkind = 'shop'")
    code, _, errors = trawl.run("import", "--rules", str(rules), str(shop_log))
    assert (code, "page 1: kind must be one of" in one_line(errors)) == (1, True)
    too_many = ("--follow", *(f"{number}.log" for number in range(101)))
    for wrong in ((), ("--follow",), ("--dry-run", "--follow", str(shop_log)), ("--follow", "-"), too_many):
        code, _, errors = trawl.run("import", *wrong)
        assert (code, "Usage: " in errors) == (2, True)


def test_masked_addresses_are_printed_and_stored_by_no_process(
    trawl: Command, tmp_path: Path, committed_url: str
) -> None:
    log = tmp_path / "access.log"
    log.write_text(
        '81.2.69.160 - - [01/Aug/2018:00:00:00 +0000] "GET /fish/ HTTP/1.1" 200 12\n'
        '81.2.69.161 - - [01/Aug/2018:00:00:00 +0000] "PRI * HTTP/2.0" 400 12\n'
    )
    code, output, errors = trawl.run("import", str(log), ADDRESS_MASK="2")
    assert (code, "1 imported" in output, "81.2.69" in output + errors) == (0, True, False)
    stored = asyncio.run(fetch(committed_url, "SELECT host(address) || country FROM visit"))
    reject = asyncio.run(fetch(committed_url, "SELECT text FROM reject"))
    assert (stored, str(reject)[:12]) == ("81.2.0.0GB", "81.2.0.0 - -")
    code, _, errors = trawl.run("import", str(log), ADDRESS_MASK="4")
    assert (code, "ADDRESS_MASK is '4'; it takes one of 1, 2, 3" in one_line(errors)) == (1, True)


def test_no_full_address_is_in_a_backup_whatever_lines_and_names_of_hosts_held(
    trawl: Command, tmp_path: Path, committed_url: str
) -> None:
    """By the fields of LOGS_RULES, behind a container's name, in rejects of any kind."""
    rules, log, lines = (tmp_path / name for name in ("rules.toml", "access.log", "lines.log"))
    rules.write_text(
        "[fields]\naddress = 'who.ip'\ntime = 'at'\nurl = 'what'\n"
        "[[page]]\nkind = 'category'\npath = '/list/(?P<category>[^/]+)'\n"
    )
    time = "- - [01/Aug/2018:00:00:00 +0000]"
    good = f'{time} "GET /list/fish HTTP/1.1" 200 12'
    addresses = ("81.2.69.160", "81.2.69.161:80", "[2001:4860:4860::8888]:443", "10.0.0.1, 81.2.69.162")
    names = ("h-81-2-69-163.isp.example", "164.69.2.81.isp.example", "165.69.2.81.in-addr.arpa", "a.example")
    broken = ("broken 81.2.69.166", f'81.2.69.167 {time} "PRI * HTTP/2.0" 400 12')
    requests = "".join(f"web-1  | {address} {good}\n" for address in (*addresses, *names))
    log.write_text(requests + "\n".join(broken))
    lines.write_text(
        '{"at": 1533081695, "who": {"ip": "81.2.69.168"}, "what": "/list/fish"}\n'
        '{"at": 1533081695, "who": {"ip": "81-2-69-169.isp.example"}, "what": "/list/fish"}\n'
    )
    settings = {"ADDRESS_MASK": "1", "LOGS_RULES": str(rules)}
    _, output, errors = trawl.run("import", str(log), str(lines), **settings)
    summaries = [line.split("log: ")[1].split(" imported")[0] for line in output.splitlines()]
    assert summaries == ["10 lines: 4", "2 lines: 1"]
    join = "visit JOIN category ON category.id = category_id"
    kinds = asyncio.run(fetch(committed_url, f"SELECT string_agg(kind || name, ',') FROM {join}"))
    assert kinds == ",".join(["categoryfish"] * 5)
    file = tmp_path / "trawl.backup"
    assert trawl.run("backup", str(file), **settings)[0] == 0
    command = [str(tool_path("pg_restore")), "--file=-", str(file)]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "81.2.69.0" in dump
    for text in (dump, output, errors):
        assert not re.search(r"81[.-]2[.-]69[.-]1|16[0-9].69|::8888|10\.0\.0\.1", text)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 40])
def test_broken_gzip_is_reported_in_one_line(trawl: Command, tmp_path: Path, damage: bytes) -> None:
    log = tmp_path / "july.log.gz"
    begin = gzip.compress(some_lines(3000))[:10_000]
    log.write_bytes(begin + damage)
    code, output, errors = trawl.run("import", str(log))
    assert (code, output) == (1, "")
    assert one_line(errors) == f"trawl: {log}: the gzip data is broken or cut off"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_following_goes_on_until_a_signal_ends_it(
    trawl: Command, shop_log: Path, committed_url: str, number: signal.Signals
) -> None:
    next_log = shop_log.with_name("next.log")
    process = trawl.fork("import", "--follow", str(shop_log), str(next_log))

    def imported(lines: int) -> bool:
        counted = "SELECT coalesce(sum(imported), 0) AS lines FROM import WHERE status = 'done'"
        return bool(asyncio.run(fetch(committed_url, counted)) == lines)

    assert eventually(lambda: imported(4))
    with shop_log.open("a") as file:
        file.write(LINES[0].replace("YQ3J8G5A", "ZZZZZZZZ") + "\n")
    assert eventually(lambda: imported(5))
    shop_log.rename(shop_log.with_name("shop.log.1"))
    shop_log.write_text(LINES[0].replace("YQ3J8G5A", "ZZZZZZZY") + "\n")
    next_log.write_text("bad\n" + LINES[0].replace("YQ3J8G5A", "ZZZZZZZX") + "\n")
    assert eventually(lambda: imported(7))
    with next_log.open("a") as file:
        file.write(LINES[0].replace("YQ3J8G5A", "ZZZZZZZW") + "\n")
    assert eventually(lambda: imported(8))  # the reject before it was told by now
    process.send_signal(number)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert sorted(output.splitlines()) == [
        "next.log: 3 lines: 2 imported, 0 duplicates, 1 rejected (followed)",
        "next.log: following it",
        "next.log: waiting for it: there is no such file",
        "shop.log: 7 lines: 6 imported, 0 duplicates, 1 rejected, rotations: 1 (followed)",
        "shop.log: following it",
        "shop.log: was rotated; the next one follows once this one is read to its end",
    ]
    assert sorted(line.partition(": ")[0] for line in errors.splitlines()) == ["next.log:1", "shop.log:5"]


def test_standard_input_that_does_not_come_can_be_interrupted(trawl: Command, committed_url: str) -> None:
    process = trawl.fork("import", "-")
    heartbeat = "SELECT heartbeat_at FROM import WHERE status = 'running'"
    assert eventually(lambda: asyncio.run(fetch(committed_url, heartbeat)))
    first = asyncio.run(fetch(committed_url, heartbeat))
    # The second one says that the import has begun to read.
    assert eventually(lambda: asyncio.run(fetch(committed_url, heartbeat)) != first)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGINT
    assert asyncio.run(fetch(committed_url, "SELECT status FROM import")) == "failed"


async def fetch(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.slow
def test_an_error_on_a_terminal_is_the_last_that_stands_there(trawl: Command, tmp_path: Path) -> None:
    """Narrow as the terminal is, the bar took two lines, of which one stayed below the error."""
    (tmp_path / "prose.log").write_text("no line of a log\n" * 20_000)
    (tmp_path / "cut.ndjson.gz").write_bytes(gzip.compress(b"\n" * 99)[:-5])
    for command, file in (("import", "prose.log"), ("import-events", "cut.ndjson.gz")):
        screen = errors_on_a_terminal(trawl, command, str(tmp_path / file))
        assert screen.count("trawl: ") == 1
        after = screen[screen.index("trawl: ") :]
        assert (ERASE_LINE in screen, ERASE_LINE in after) == (True, False), screen


def errors_on_a_terminal(trawl: Command, *arguments: str) -> str:
    """Run a command that fails; returns what it writes to the terminal of its error output."""
    terminal, inside = os.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, str(PROJECT / "main.py"), *arguments],
            cwd=PROJECT,
            env=trawl.environment() | {"TERM": "xterm", "COLUMNS": "60", "LOG_LEVEL": "ERROR"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=inside,
        )
        os.close(inside)
        written = b""
        with suppress(OSError):  # the kernel's end of a terminal that nobody has open any more
            while piece := screen.read(65536):
                written += piece
    assert process.wait() == 1
    return written.decode()
