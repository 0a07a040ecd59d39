"""Schemas are made when a module is imported: to make one costs more than to load or dump by it."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from marshmallow import Schema

import api
import transport


def modules() -> Iterator[ModuleType]:
    for package in (api, transport):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(each.name)


def made_in_functions(module: ModuleType) -> Iterator[str]:
    """Name the schemas without arguments that functions of a module make, with their lines."""
    for function in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in ast.walk(function):
                match call:
                    case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
                        made = getattr(module, name, None)
                        if isinstance(made, type) and issubclass(made, Schema):
                            yield f"{name}, line {call.lineno}"


def test_no_function_makes_a_schema_that_could_be_made_once() -> None:
    made = {module.__name__: list(made_in_functions(module)) for module in modules()}
    assert len(made) > 100
    assert {name: schemas for name, schemas in made.items() if schemas} == {}
