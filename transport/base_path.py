"""BASE_PATH: the path under which a proxy shows the server, such as `/trawl`.

Requests come with it, or without where the proxy takes it off; both are served. All links have it.
"""

from typing import Any

from transport.request import Request


def leave_base_path(scope: dict[str, Any], base_path: str) -> dict[str, Any]:
    """Return an ASGI scope whose path is what stands behind the base path, if it stands under it."""
    if not base_path:
        return scope
    base, raw_path = base_path.encode(), scope["raw_path"]
    if raw_path != base and not raw_path.startswith(base + b"/"):
        return scope
    rest = raw_path[len(base) :] or b"/"
    return {**scope, "raw_path": rest, "path": scope["path"][len(base_path) :] or "/"}


def link_to(request: Request, path: str) -> str:
    """Return the path of a link to a path of ours."""
    return request.http.base_path + path
