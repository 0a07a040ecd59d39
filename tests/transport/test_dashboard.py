"""/dashboard is complete, small and gzipped, and its page may connect to no other host."""

import gzip
import re
from dataclasses import replace
from urllib.parse import urljoin

import pytest

from service.deps import Deps
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from transport.assets import asset_names
from transport.routes.dashboard import CHART_STYLE, FOLDER, FOLDERS

KIB = 1024
FILES = (
    *(f"/dashboard/{name}" for name in (*asset_names(FOLDER), CHART_STYLE)),
    *(f"/dashboard/{folder}/{name}" for folder, names in FOLDERS.items() for name in names),
)


async def test_the_page_may_run_and_ask_nothing_but_what_is_ours(client: Client) -> None:
    answer = await client.get("/dashboard")
    assert answer.status == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(rb"<script(?! src| type=.module. src)|<style|\son\w+=|style=|https?://", answer.body)


async def test_the_whole_dashboard_is_below_150_kib_gzipped(client: Client) -> None:
    sizes = []
    for path in ("/dashboard", *FILES):
        answer = await client.session.get(path, headers={"Accept-Encoding": "gzip"}, auto_decompress=False)
        assert answer.headers["Content-Encoding"] == "gzip"
        sizes.append(len(await answer.read()))
    assert sum(sizes) < 150 * KIB


async def test_who_has_a_file_gets_304_until_it_changes(client: Client) -> None:
    first = await client.get("/dashboard/main.js")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await client.get("/dashboard/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


async def test_gzipped_and_plain_are_the_same_file_with_tags_of_their_own(client: Client) -> None:
    plain = await client.get("/dashboard/page.css", headers={"Accept-Encoding": "identity"})
    gzipped = await client.session.get(
        "/dashboard/page.css", headers={"Accept-Encoding": "gzip"}, auto_decompress=False
    )
    assert gzip.decompress(await gzipped.read()) == plain.body
    assert gzipped.headers["ETag"] != plain.headers["ETag"]
    assert gzipped.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["gzip;q=0, identity", "gzip; q=0.0", "gzip;q=abc", "*;q=0", "notgzip"])
async def test_no_gzip_is_sent_to_those_who_do_not_take_it(client: Client, encoding: str) -> None:
    answer = await client.get("/dashboard", headers={"Accept-Encoding": encoding})
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "index.html", "..%2fapp.py", "page.css.gz", "shared", "shared/nothing.js", "../app.py"],
)
async def test_nothing_else_of_the_disk_is_served(client: Client, name: str) -> None:
    assert (await client.get(f"/dashboard/{name}")).status == 404


async def test_every_file_that_a_file_names_is_there(client: Client) -> None:
    for path in ("/dashboard", *FILES):
        text = (await client.get(path)).body.decode()
        named = re.findall(r'(?:from |import\()"(\.[\w./-]+)"', text)
        named += re.findall(r'(?:src|href)="(/dashboard/[\w./-]+)"', text)
        for file in named:
            assert (await client.get(urljoin(path, file))).status == 200, f"{file} of {path}"


@pytest.mark.parametrize(("is_open", "word"), [(True, b"open"), (False, b"closed")])
async def test_the_page_knows_whether_everybody_may_sign_up(
    server: RunningApp, client: Client, deps: Deps, is_open: bool, word: bytes
) -> None:
    server.use(replace(deps, registration_open=is_open))
    assert b'name="registration" content="' + word + b'"' in (await client.get("/dashboard")).body
