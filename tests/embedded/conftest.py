"""A DATA_DIR that is set up already, and other processes that use it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embedded import open_servers
from embedded.account import service_account
from tests.support.embedded_processes import Owner


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DATA_DIR of servers that have run before. Tests share it and leave it whole."""
    data_dir = tmp_path_factory.mktemp("var")
    with open_servers(data_dir):
        pass
    return data_dir


@pytest.fixture
def own_data_dir(data_dir: Path, tmp_path: Path) -> Path:
    """The same for one test alone, which may break it."""
    copy = tmp_path / "var"
    subprocess.run(["cp", "-a", data_dir, copy], check=True)
    return copy


@pytest.fixture
def start_owner() -> Iterator[Callable[..., Owner]]:
    """Start a process that runs the servers of a DATA_DIR until the test ends."""
    owners: list[Owner] = []

    def start(data_dir: Path, *options: str) -> Owner:
        owners.append(Owner(data_dir, *options))
        return owners[-1]

    yield start
    for owner in owners:
        owner.close()


@pytest.fixture
def unrelated_process(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the servers' user that has nothing to do with them."""
    account = service_account(data_dir / "postgres")
    with subprocess.Popen(["sleep", "600"], user=account.uid if account else None) as process:
        yield process
        process.kill()
