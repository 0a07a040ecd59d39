"""The rooms of service/ are few, and few of them know each other: what grows must be divided, not joined."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PROJECT = Path(__file__).parents[2]
SERVICE = PROJECT / "service"
LAYERS = (
    "api",
    "clients",
    "commands",
    "config",
    "db",
    "embedded",
    "server",
    "service",
    "telemetry",
    "transport",
)
MOST_ROOMS = 22
MOST_IMPORTS = 50


def room_of(file: Path) -> str:
    return file.relative_to(SERVICE).parts[0].removesuffix(".py")


def modules_imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imports_by_room() -> dict[str, set[str]]:
    """Return the rooms that each room imports from."""
    files = [file for file in SERVICE.rglob("*.py") if file != SERVICE / "__init__.py"]
    imports: dict[str, set[str]] = {room_of(file): set() for file in files}
    for file in files:
        for module in modules_imported(file):
            package, _, rest = module.partition(".")
            if package == "service":
                imports[room_of(file)].add(rest.partition(".")[0])
    return {room: others - {room} for room, others in imports.items()}


def test_the_rooms_and_their_imports_are_few_and_none_run_in_a_circle() -> None:
    imports = imports_by_room()
    assert len(imports) <= MOST_ROOMS, sorted(imports)
    pairs = [(room, other) for room, others in imports.items() for other in others]
    assert {other for _, other in pairs} <= imports.keys()
    assert len(pairs) <= MOST_IMPORTS, sorted(pairs)
    assert len(pairs) > MOST_ROOMS  # all the rooms are looked into
    TopologicalSorter(imports).prepare()  # raises CycleError


def modules_in_use() -> dict[str, set[str]]:
    """Return the modules of ours that each module imports, also for types alone."""
    files = [*PROJECT.glob("*.py"), *(file for layer in LAYERS for file in (PROJECT / layer).rglob("*.py"))]
    modules = {
        ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }
    return {
        module: {
            name if name in modules else name.rpartition(".")[0]
            for name in modules_imported(file)
            if name in modules or name.rpartition(".")[0] in modules
        }
        - {module}
        for module, file in modules.items()
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports = modules_in_use()
    assert sum(map(len, imports.values())) > 2000  # all modules are looked into
    TopologicalSorter(imports).prepare()  # raises CycleError
