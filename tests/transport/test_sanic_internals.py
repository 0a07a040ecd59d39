"""Sanic's undocumented parts: known for one version, and used in one module."""

import ast
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sanic import Sanic

import transport
from transport.sanic_internals import SANIC_VERSION, QuietSignals

FOLDER = Path(transport.__file__).parent
DOCUMENTED = {
    "sanic",
    "sanic.config",
    "sanic.exceptions",
    "sanic.handlers",
    "sanic.response",
    "sanic.router",
}


def test_sanic_is_of_the_version_whose_internals_are_known() -> None:
    """Before it names another version, transport/sanic_internals.py is to be compared with that Sanic."""
    assert version("sanic") == SANIC_VERSION


async def test_signals_of_requests_are_looked_for_where_somebody_listens_alone() -> None:
    searches, heard = list[str](), list[str]()

    class Router(QuietSignals):
        async def _dispatch(self, event: str, *args: Any, **kwargs: Any) -> Any:
            searches.append(event)
            return await super()._dispatch(event, *args, **kwargs)

    async def send(router: Router) -> None:
        router.ctx.app = Sanic("signals", configure_logging=False)
        Sanic.unregister_app(router.ctx.app)
        router.finalize()
        await router.dispatch("http.lifecycle.request", inline=True, fail_not_found=False)

    await send(Router())
    assert searches == []

    async def hear(**_: Any) -> None:
        heard.append("request")

    router = Router()
    router.add(hear, "http.lifecycle.request")
    await send(router)
    assert heard == ["request"]


def imported_modules(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_no_other_module_imports_what_sanic_does_not_document() -> None:
    importers = {
        str(path.relative_to(FOLDER)): module
        for path in FOLDER.rglob("*.py")
        for module in imported_modules(path.read_text())
        if module.partition(".")[0] == "sanic" and module not in DOCUMENTED
    }
    assert set(importers) == {"sanic_internals.py"}
