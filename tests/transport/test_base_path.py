"""Under a path behind a proxy (BASE_PATH): all is served with it and without it, and all links have it."""

import re
from urllib.parse import urljoin

import pytest

from service.deps import Deps
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from transport.assets import load_asset
from transport.routes.dashboard import FOLDER
from transport.settings import HttpSettings

BASE = "/trawl"
BROWSER = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def under_a_path(server: RunningApp, deps: Deps) -> None:
    server.use(deps, HttpSettings(base_path=BASE))


@pytest.mark.parametrize("prefix", [BASE, f"{BASE}/api/v1", "", "/api/v1"])
async def test_paths_work_with_the_base_path_and_where_a_proxy_has_taken_it_off(
    user: User, prefix: str
) -> None:
    for path in (
        "/health",
        "/ready",
        "/openapi.json",
        "/dashboard",
        "/docs",
        "/tasks",
        "/profile",
        "/report/1",
    ):
        assert (await user.client.get(prefix + path)).status == 200, path
    assert (await user.client.get(f"{prefix}/nothing")).code == "not_found"
    wrong_method = await user.client.post(f"{prefix}/report/1")
    assert (wrong_method.status, wrong_method.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", [BASE, f"{BASE}/"])
async def test_its_root_greets_programs_and_sends_browsers_to_the_dashboard(
    client: Client, path: str
) -> None:
    assert (await client.get(path)).json["status"] == "ok"
    answer = await client.get(path, headers=BROWSER)
    assert (answer.status, answer.headers["Location"]) == (303, f"{BASE}/dashboard")


@pytest.mark.parametrize("path", ["/trawler/health", "/Trawl/health", "/trawl/trawl/health"])
async def test_a_path_that_is_not_the_base_path_is_unknown(user: User, path: str) -> None:
    assert (await user.client.get(path)).status == 404


@pytest.mark.parametrize("version", ["", "/api/v1"])
@pytest.mark.parametrize("prefix", [BASE, ""])
async def test_locations_and_links_have_it_whatever_the_proxy_sends(
    user: User, prefix: str, version: str
) -> None:
    for title in ("a", "b"):
        response = await user.client.post(f"{prefix}{version}/tasks", json={"title": title})
        assert response.headers["Location"] == f"{BASE}{version}/tasks/{response.json['id']}"
        assert (await user.client.get(response.headers["Location"])).json == response.json
    first = await user.client.get(f"{prefix}{version}/tasks?limit=1")
    [link] = re.findall(r'<(.*)>; rel="next"', first.headers["Link"])
    assert link.startswith(f"{BASE}{version}/tasks?")
    assert [item["title"] for item in (await user.client.get(link)).json["items"]] == ["a"]


async def test_the_document_names_it_for_clients_and_for_tokens(client: Client) -> None:
    document = (await client.get(f"{BASE}/openapi.json")).json
    assert document["servers"] == [{"url": BASE}]
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["password"]
    assert flow["tokenUrl"] == flow["refreshUrl"] == f"{BASE}/api/v1/token"
    assert "/api/v1/tasks" in document["paths"]


@pytest.mark.parametrize("base", [BASE, "", f"{BASE}/api/v1"])
@pytest.mark.parametrize("page", ["dashboard", "dashboard/", "docs", "docs/", "redoc/", "scalar/"])
async def test_each_page_finds_its_files(client: Client, base: str, page: str) -> None:
    """A browser resolves links against the URL that it has come to."""
    path = f"{base}/{page}"
    answer = await client.get(path)
    if answer.status == 308:
        assert answer.headers["Content-Type"] == "text/plain"
        path = urljoin(path, answer.headers["Location"])
        answer = await client.get(path)
    links = re.findall(r'(?:src|href)="([^"#]+)"', answer.body.decode())
    files = [urljoin(path, link) for link in links if not link.startswith("data:")]
    assert files
    if not page.startswith("dashboard"):
        files.append(urljoin(path, "openapi.json"))  # as their scripts do
        assert all(file.startswith(base) for file in files)
    for file in files:
        assert (await client.get(file)).status == 200, file


def test_scripts_of_the_dashboard_ask_where_they_come_from() -> None:
    for path in FOLDER.rglob("*.js"):
        text = load_asset(path.parent, path.name).plain.decode()
        assert not re.search(r"""(?:fetch\(|src: |href: )["'`]/""", text), path.name


async def test_a_visited_page_is_the_same_with_the_base_path_and_without(user: User) -> None:
    first = (await user.client.get(f"{BASE}/pages/a")).json
    assert (await user.client.get("/pages/a")).json == first | {"visits": first["visits"] + 1}
