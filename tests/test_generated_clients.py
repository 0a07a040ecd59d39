"""Clients that generators make of the document are type-checked, and live a user's day, all by themselves.

The generators are installed here, in the versions below, where a package registry is reached.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clients.geo import Geo
from db.database import Database
from tests.support.command_line import PASSWORD
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.log_imports import Importer
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.slow

DAYS = Path(__file__).parent / "generated"
GENERATOR = "openapi-python-client==0.28.3"
# Of bodies in media types that it has no word for; each has another one that it takes.
WARNINGS_ALLOWED = ("Unsupported content type", "Unsupported content_type {'image/gif'")


@pytest.fixture
def db(committed_db: Database) -> Database:
    """An import holds its lock in one transaction and stores chunks in others."""
    return committed_db


@pytest.fixture
def shop(db: Database, geo: Geo) -> Importer:
    return Importer(db, geo)


async def run(*command: str | Path, folder: Path) -> tuple[int, str]:
    """Run a program in a folder. Return its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 10 * PATIENCE)  # a registry may be slow
    return process.returncode or 0, output.decode(errors="replace")


async def run_well(*command: str | Path, folder: Path) -> str:
    code, output = await run(*command, folder=folder)
    assert code == 0, output
    return output


async def install(*command: str | Path, folder: Path) -> None:
    """Install a generator; skip the test where no registry is reached."""
    code, output = await run(*command, folder=folder)
    if code:
        last = (output.strip().splitlines() or ["no reason"])[-1]
        pytest.skip(f"the generator can't be installed here: {last}")


Save = Callable[[Path], None]


@pytest.fixture
async def save_document(server: RunningApp, user: User) -> Save:
    document = json.dumps((await user.client.get("/openapi.json")).json)

    def save(path: Path) -> None:
        path.write_text(document)

    return save


async def test_a_python_client_lives_a_day(
    server: RunningApp, admin: User, shop: Importer, save_document: Save, tmp_path: Path
) -> None:
    python = tmp_path / "venv/bin/python"
    await run_well(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", folder=tmp_path)
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    options = ("--quiet", "--no-compile", "--retries=1", "--timeout=10")
    await install(*pip, "install", *options, GENERATOR, folder=tmp_path)
    save_document(tmp_path / "openapi.json")
    generator = (python.with_name("openapi-python-client"), "generate", "--path=openapi.json", "--meta=none")
    output = await run_well(*generator, "--output-path=trawl_client", folder=tmp_path)
    warnings = output.split("WARNING")[1:]
    assert [block for block in warnings if not any(known in block for known in WARNINGS_ALLOWED)] == []
    shutil.copy(DAYS / "day.py", tmp_path)
    mypy = (sys.executable, "-m", "mypy", f"--python-executable={python}", "--no-incremental")
    # Its own code lacks the stubs of a library of its own.
    await run_well(*mypy, "--disable-error-code=import-untyped", "day.py", folder=tmp_path)
    modules = (tmp_path / "trawl_client/api").glob("*/*.py")
    names = [".".join(module.relative_to(tmp_path).with_suffix("").parts) for module in modules]
    (tmp_path / "all_modules.py").write_text("".join(f"import {name}\n" for name in names))
    await run_well(python, "all_modules.py", folder=tmp_path)
    output = await run_well(python, "day.py", server.url, admin.login, PASSWORD, folder=tmp_path)
    assert output == "a whole day\n"


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
async def test_a_typescript_client_lives_a_day(
    server: RunningApp, admin: User, shop: Importer, save_document: Save, tmp_path: Path
) -> None:
    for name in ("package.json", "tsconfig.json", "day.ts"):
        shutil.copy(DAYS / name, tmp_path)
    npm = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1")
    await install(*npm, "--fetch-timeout=20000", folder=tmp_path)
    save_document(tmp_path / "openapi.json")
    programs = tmp_path / "node_modules/.bin"
    await run_well(
        programs / "openapi-ts",
        "-i",
        "openapi.json",
        "-o",
        "client",
        "-c",
        "@hey-api/client-fetch",
        folder=tmp_path,
    )
    await run_well(programs / "tsc", "--project", ".", folder=tmp_path)
    output = await run_well("node", "out/day.js", server.url, admin.login, PASSWORD, folder=tmp_path)
    assert output == "a whole day\n"
