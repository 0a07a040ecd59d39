"""Decodes JSON lines into those of their fields that are read: others are skipped, not made into objects.

A shape is inferred from some lines of a log. It has the paths of json_format.PATHS up to the one at which
these lines have what is read, in their order, so a value is the one that the grammar finds, or none at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from service.logs.json_format import STATUS, Paths, find, text_of_value

BLOCK = 256  # lines that are decoded at once; where one fails, each of them alone
NO_OBJECT = list[Any] | str | int | float | bool | None
Values = list[Any]
Path = tuple[str, ...]


@dataclass(slots=True)
class Node:
    """An object's field: whether it is read, and the fields of the object that it may be."""

    is_read: bool = False
    children: dict[str, "Node"] = field(default_factory=dict)
    structure: Any = None
    empty: Any = None


class Shape:
    """The fields of a log's objects, by roles.

    :param paths: of each role
    :param is_whole: for each role, whether an object without a value at these paths has none at all
    """

    def __init__(self, paths: Sequence[Paths], is_whole: Sequence[bool]) -> None:
        self.is_whole = is_whole
        self._paths = paths
        self._root = Node()
        for path in (path for each in paths for path in each):
            node = self._root
            for key in path:
                node = node.children.setdefault(key, Node())
            node.is_read = True
        make_structure(self._root)
        self._decode = msgspec.json.Decoder(self._root.structure, float_hook=float).decode

    def decode(self, lines: list[bytes]) -> list[Values]:
        """Return, for each role, what each line has there: a text or a number; None for nothing.

        A line that is not an object has nothing.
        """
        objects: Values = []
        for start in range(0, len(lines), BLOCK):
            block = lines[start : start + BLOCK]
            try:
                objects += list(map(self._decode, block))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                objects += map(self._decode_one, block)
        columns: dict[Path, Values] = {}
        collect(self._root, objects, (), columns)
        roles = [[columns[path] for path in paths] for paths in self._paths]
        values = [first_values(role) or [None] * len(lines) for role in roles]
        if self.is_whole[STATUS]:
            values[STATUS] = with_nulls(values[STATUS], roles[STATUS])
        return values

    def _decode_one(self, line: bytes) -> Any:
        try:
            return self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._root.empty


def has_shape(paths: Sequence[Paths]) -> bool:
    """Return whether structures can have fields of these names."""
    keys = {key for each in paths for path in each for key in path}
    return all(key.isprintable() and key and not set(key) & set('"\\') for key in keys)


def infer_shape(records: Iterable[dict[str, Any]], paths: Sequence[Paths]) -> Shape:
    """Return the shape of objects like these."""
    records = list(records)
    lengths = [max((place_of(record, each) for record in records), default=len(each)) for each in paths]
    is_whole = [length >= len(each) for length, each in zip(lengths, paths, strict=True)]
    return Shape([each[: length + 1] for length, each in zip(lengths, paths, strict=True)], is_whole)


def place_of(record: dict[str, Any], paths: Paths) -> int:
    """Return the index of the path at which an object has a value; that behind the last one for none."""
    places = (place for place, path in enumerate(paths) if find(record, (path,)) is not None)
    return next(places, len(paths))


def make_structure(node: Node) -> None:
    """Make the structures of the objects that a node and the nodes below it may be."""
    fields = []
    for number, (key, child) in enumerate(node.children.items()):
        kind: Any = Any
        if child.children:
            make_structure(child)
            kind = child.structure | NO_OBJECT
        fields.append((name_of(number), kind, msgspec.field(default=UNSET, name=key)))
    node.structure = msgspec.defstruct("Fields", fields, gc=False)
    node.empty = node.structure()


def name_of(number: int) -> str:
    return f"field_{number}"


def collect(node: Node, objects: Values, before: Path, columns: dict[Path, Values]) -> None:
    """Add what objects have at each path that is read."""
    for number, (key, child) in enumerate(node.children.items()):
        values, path = list(map(attrgetter(name_of(number)), objects)), (*before, key)
        if child.is_read:
            columns[path] = values
        if child.children:
            structure, empty = child.structure, child.empty
            inner = [value if type(value) is structure else empty for value in values]
            collect(child, inner, path, columns)


def first_values(columns: Sequence[Values]) -> Values | None:
    """Return the first text or number of each row; None where no row has any."""
    first: Values | None = None
    for column in columns:
        values = plain_values(column)
        if first is None or values is None:
            first = first or values
        else:
            first = [one if one is not None else other for one, other in zip(first, values, strict=True)]
    return first


def with_nulls(first: Values, columns: Sequence[Values]) -> Values:
    """Return the first values, an empty text for none where there is a null."""
    if not any(None in column for column in columns):
        return first
    rows = zip(first, *columns, strict=True)
    return ["" if value is None and None in others else value for value, *others in rows]


def plain_values(column: Values) -> Values | None:
    """Return the text or the number of each value, or None; None for a column without any."""
    values, kinds = column, set(map(type, column))
    if kinds <= {UnsetType}:
        return None
    if UnsetType in kinds:
        values = [None if value is UNSET else value for value in values]
    if list in kinds:
        values = [value[0] if type(value) is list and value else value for value in values]
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return None
    # -0.0 and 0 are two texts, but one key.
    if kinds in ({int}, {str}) or (kinds == {float} and 0.0 not in values):
        return values
    return [None if value is None else text_of_value(value) for value in column]
