"""Which logs `/parse` opens by name: those of LOGS_FILE and LOGS_DIR, and nothing beside them."""

import os
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from db.database import Database
from service.deps import Deps
from service.logs.folder import LogFolder
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.log_imports import some_lines, write

COUNTS = ("lines", "imported", "duplicates", "rejected")


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its file in one transaction and stores chunks in others."""
    return committed_db


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log at LOGS_FILE."""
    path = tmp_path / "logs.txt"
    path.write_bytes(some_lines(20) + b"bad\n")
    return path


async def test_an_admin_can_name_a_file_of_the_log_folder(admin: User, log: Path, tmp_path: Path) -> None:
    (tmp_path / "older").mkdir()
    write(tmp_path / "older" / "july log.txt", some_lines(5, start=500))
    (tmp_path / "link.txt").symlink_to(tmp_path / "older" / "july log.txt")
    record = (await admin.client.get("/parse", params={"file": "older/july log.txt"})).json
    assert (record["name"], record["imported"]) == ("july log.txt", 5)
    linked = (await admin.client.get("/parse?file=link.txt")).json
    assert [linked[name] for name in COUNTS] == [0, 0, 0, 0]
    assert (await admin.client.get("/parse?file=./logs.txt")).json["imported"] == 20


async def test_only_an_admin_names_a_file(user: User, log: Path) -> None:
    for method in ("GET", "POST", "HEAD"):
        answer = await user.client.request(method, "/parse?file=logs.txt&dry_run=true")
        assert answer.status == 403
    assert (await user.client.get("/imports")).json["items"] == []


@pytest.fixture
def folder(server: RunningApp, deps: Deps, tmp_path: Path) -> Path:
    """Make a LOGS_DIR with links out of it, and beside it a file that must not be read."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (tmp_path / "secret.txt").write_bytes(some_lines(3))
    (tmp_path / "logs-old").mkdir()
    (tmp_path / "logs-old" / "secret.txt").write_bytes(some_lines(3))
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "away").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inner").mkdir()
    (folder / ".env").write_bytes(some_lines(3))
    (folder / ".git").mkdir()
    (folder / ".git" / "log.txt").write_bytes(some_lines(3))
    (folder / "visible.txt").symlink_to(folder / ".env")
    (folder / "data").mkdir()
    (folder / "data" / "log.txt").write_bytes(some_lines(3))
    (folder / "shortcut.txt").symlink_to(folder / "data" / "log.txt")
    os.mkfifo(folder / "pipe")
    server.use(
        replace(
            deps,
            logs=LogFolder(
                file=folder / "missing.txt",
                folder=folder,
                private=(folder / "data",),
                zone=deps.logs.zone,
            ),
        )
    )
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "inner/../../secret.txt",
        "../logs-old/secret.txt",
        "{folder}/../secret.txt",
        "{folder}/../logs-old/secret.txt",
        "/etc/passwd",
        "/dev/zero",
        "link.txt",
        "away/secret.txt",
        "loop",
        "pipe",
        "inner",
        ".",
        "..",
        "no such file",
        "~/secret.txt",
        "x" * 1000,
        ".env",
        ".git/log.txt",
        "visible.txt",
        "data/log.txt",
        "shortcut.txt",
    ],
)
async def test_nothing_outside_hidden_or_private_can_be_named(admin: User, folder: Path, name: str) -> None:
    answer = await admin.client.get("/parse", params={"file": name.format(folder=folder)})
    assert (answer.status, answer.code) == (404, "no_such_log")
    assert (await admin.client.get("/imports")).json["items"] == []


async def test_without_a_folder_only_the_log_and_its_rotated_siblings_can_be_named(
    server: RunningApp, deps: Deps, admin: User, tmp_path: Path
) -> None:
    names = (
        "logs.txt",
        "logs.txt.1",
        "logs.txt.2",
        "logs.txt-20260830",
        "other.txt",
        "logs.txt.old",
        "logs.tx",
    )
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(some_lines(3, start=number * 10))
    server.use(replace(deps, logs=LogFolder(file=tmp_path / "logs.txt", zone=deps.logs.zone)))
    answers = [await admin.client.get("/parse", params={"file": name}) for name in names]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 404, 404, 404]
    assert sum(answer.json["imported"] for answer in answers[:4]) == 12


async def test_a_file_that_becomes_a_link_before_it_is_opened_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(some_lines(3))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.txt").write_bytes(some_lines(3))
    folder = LogFolder(file=tmp_path / "logs.txt", folder=tmp_path / "logs", zone=UTC)
    by_link, by_folder = folder.get_source("a.txt"), folder.get_source("a.txt")
    (tmp_path / "logs" / "a.txt").unlink()
    (tmp_path / "logs" / "a.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(OSError, match="symbolic links"), by_link.open():
        pass
    (tmp_path / "logs").rename(tmp_path / "moved")
    (tmp_path / "secret.txt").rename(tmp_path / "a.txt")
    (tmp_path / "logs").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError), by_folder.open():
        pass


async def test_a_log_that_is_not_there_yet_is_reported(user: User, folder: Path) -> None:
    for method in ("GET", "POST"):
        answer = await user.client.request(method, "/parse")
        assert (answer.status, answer.code) == (404, "no_such_log")
    write(folder / "missing.txt", some_lines(1))
    assert (await user.client.get("/parse")).json["imported"] == 1
