"""Uploads go through nginx as they come: the tests of them run again, by nginx, and by HTTP/2."""

import asyncio
import gzip
import json
import shutil

import pytest

from tests.support.http_client import User
from tests.support.log_imports import Importer, some_lines
from tests.support.over_nginx import client, nginx_url  # noqa: F401 - fixtures
from tests.transport.test_uploads import *  # noqa: F403 - its tests are wanted

pytestmark = pytest.mark.slow

LINES = 20_000  # over 2 MB, which no buffer on the way holds


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize(("option", "version"), [("--http2", "2"), ("--http1.1", "1.1")])
async def test_a_long_upload_comes_by_each_way_that_nginx_takes(
    admin: User,
    nginx_url: str,  # noqa: F811 - the fixture
    shop: Importer,
    option: str,
    version: str,
) -> None:
    """From standard input, whose length curl does not know: in chunks by HTTP/1.1."""
    lines = some_lines(LINES)
    command = ["curl", "-sk", option, "-X", "POST", "-T", "-", "-w", "\n%{http_version} %{http_code}"]
    command += ["-H", f"Authorization: {admin.token}", f"{nginx_url}/imports?name=long"]
    pipe = asyncio.subprocess.PIPE
    for content, imported in ((lines, LINES), (gzip.compress(lines), 0)):
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        output, _ = await process.communicate(content)
        body, _, told = output.decode().rpartition("\n")
        record = json.loads(body)
        assert told == f"{version} 202"
        assert (record["status"], record["lines"], record["imported"]) == ("done", LINES, imported)
    assert await shop.rows("SELECT count(*) FROM visit") == [(LINES,)]
