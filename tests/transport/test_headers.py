"""What every answer tells browsers and caches."""

import re

import pytest

from tests.support.http_client import Answer, Client, User
from tests.support.http_server import RunningApp
from tests.transport.test_access import EXAMPLES, FILES, PRIVATE, PUBLIC
from transport.headers import BROWSER_HEADERS

GETS = sorted(name for name in {*PUBLIC, *PRIVATE} if name.startswith("GET "))
PAGES = {"GET /dashboard", "GET /docs", "GET /redoc", "GET /scalar"}
FOR_PAGES_OF_OTHERS = {"GET /trawl.js", "GET /pixel.gif"}
FILE_ROUTES = {"/dashboard/<name:str>", "/dashboard/<folder:str>/<name:str>", "/docs/assets/<name:str>"}
FOR_ALL = PAGES | {"GET /trawl.js"} | {f"GET {path}" for path in FILE_ROUTES}


def path_of(name: str) -> str:
    """Return a path of a route that is there, as far as examples go."""
    path = name.partition(" ")[2]
    folder, parameter, _ = path.partition("/<name:str>")
    path = f"{folder}/{FILES[folder]}" if parameter else path.replace("<number:str>", "6")
    path = path.replace("<folder:str>", "shared")
    for pattern, example in EXAMPLES.items():
        path = re.sub(pattern, example, path)
    return path


def check_browser_headers(answer: Answer, *, is_page: bool = False, for_others: bool = False) -> None:
    expected = {**BROWSER_HEADERS}
    if for_others:
        expected["cross-origin-resource-policy"] = "cross-origin"
    if is_page:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        del expected["content-security-policy"]
    assert {name: answer.headers.get(name) for name in expected} == expected
    assert answer.headers["Server"] == "trawl"


@pytest.mark.parametrize("name", GETS)
async def test_every_answer_tells_browsers_and_caches_what_they_may_do(
    server: RunningApp, admin: User, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "GET /live":  # has no end but this
        monkeypatch.setattr(server.app.ctx, "draining", True)
    answer = await admin.client.get(path_of(name))
    check_browser_headers(answer, is_page=name in PAGES, for_others=name in FOR_PAGES_OF_OTHERS)
    if name not in FOR_ALL:
        expected = "private, no-cache" if "ETag" in answer.headers else "no-store"
        assert answer.headers["Cache-Control"] == expected


async def test_charts_problems_and_empty_answers_are_no_exception(user: User, client: Client) -> None:
    etag = (await user.client.get("/profile")).headers["ETag"]
    answers = [
        await user.client.get("/report/6?format=svg"),
        await user.client.get("/report/6?format=csv"),
        await user.client.get("/profile", headers={"If-None-Match": etag}),
        await client.request("OPTIONS", "/profile"),
        await client.get("/profile"),
        await client.get("/nothing"),
        await client.put("/profile"),
        await client.post("/login", data=b"{"),
    ]
    assert [answer.status for answer in answers] == [200, 200, 304, 204, 401, 404, 405, 415]
    for answer in answers:
        check_browser_headers(answer)
    assert [answer.headers["Cache-Control"] for answer in answers[2:5]] == [
        "private, no-cache",
        "no-store",
        "no-store",
    ]


async def test_the_server_tells_no_version_in_its_headers(client: Client) -> None:
    answer = await client.get("/")
    assert answer.headers.getall("Server") == ["trawl"]
    assert not {"X-Powered-By", "Via"} & answer.headers.keys()
