"""What counts as a view, and what is an asset."""

import pytest

from service.logs.views import is_asset, is_view


@pytest.mark.parametrize(
    ("method", "status", "view"),
    [
        *(("GET", status, True) for status in (200, 204, 206, 299, 304)),
        *(
            ("GET", status, False)
            for status in (100, 199, 300, 301, 302, 303, 305, 307, 400, 404, 444, 500, 0)
        ),
        ("POST", 201, True),
        ("POST", 302, False),
        *((method, 200, False) for method in ("HEAD", "PROPFIND", "DELETE", "PUT", "OPTIONS", "get", "")),
    ],
)
def test_only_answered_gets_and_posts_are_views(method: str, status: int, view: bool) -> None:
    assert is_view(method, status) is view


@pytest.mark.parametrize(
    "path",
    [
        "/app.js",
        "/static/App.MJS",
        "/a/b/c.css",
        "/img/logo.PNG",
        "/i.svg",
        "/f/x.woff2",
        "/favicon.ico",
        "/robots.txt",
        "/apple-touch-icon.png",
        "/фото.jpeg",
        "/a.min.js.map",
    ],
)
def test_scripts_styles_images_fonts_and_icons_are_assets(path: str) -> None:
    assert is_asset(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/js",
        "/js/",
        "/node.js/",
        "/a.html",
        "/a.php",
        "/app.js/x",
        "/a/robots.txt",
        "/x.json",
        "/x.pdf",
        "/ads.txt",
        "/a.\u017fvg",
        "/css",
        "/x.jsp",
    ],
)
def test_pages_are_not_assets(path: str) -> None:
    assert not is_asset(path)
