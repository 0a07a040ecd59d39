"""`main.py import-events`: stores the events of NDJSON and CSV files, each with its own verdict."""

import asyncio
import csv
import gzip
import io
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import orjson
import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from bootstrap import make_deps
from clock import now
from commands.installation import open_installation
from commands.terminal import err, fail, load_settings, one_line_errors, say, say_above_bar
from db.migrate import migrate
from service.deps import Deps
from service.events.events import BatchOutcome, Verdict, create_events
from telemetry.printable import printable
from transport.bulk.events import UNREADABLE, BatchReader, any_value
from transport.parsing import BOM

FIELDS = ("event_id", "user_id", "event_type", "occurred_at", "properties_json")
OUTCOMES = ("created", "duplicates", "conflicts", "invalid")
BATCH = 5000  # events
MAX_LINE = 2**18  # bytes; an event has 16 KiB of properties at most
SHOWN = 10  # refused lines of a file
MOSTLY_REFUSED = 3  # exit code
GZIP = b"\x1f\x8b"
HEADER = ",".join(FIELDS)
KINDS = f"this takes NDJSON, an event a line, and CSV with the header {HEADER}; `main.py import` takes logs"


class WrongHeader(ValueError):
    """A CSV file has other fields. The message says which."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event of a file as JSON text, and the number of the line it begins on, or ends on in CSV."""

    number: int
    text: bytes


@dataclass(slots=True)
class Total:
    """What became of the events of a file."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, Verdict]] = field(default_factory=list)

    def add(self, outcome: BatchOutcome, lines: list[Line]) -> None:
        for name in ("received", *OUTCOMES):
            self.counts[name] += getattr(outcome, name)
        refused = (verdict for verdict in outcome.results if verdict.status != "duplicate")
        self.refused += [
            (lines[verdict.index].number, verdict) for verdict in islice(refused, SHOWN - len(self.refused))
        ]

    @property
    def refusals(self) -> int:
        return self.counts["conflicts"] + self.counts["invalid"]


def import_events(files: list[str], *, as_json: bool) -> None:
    """Store the events of each file. Exit code 3 if more than half of a file's were refused."""
    with one_line_errors():
        settings = load_settings()
        with open_installation(settings, may_be_new=True) as addresses:
            asyncio.run(migrate(addresses.database))
            deps = make_deps(settings, addresses)
            totals = asyncio.run(store_files(deps, files, as_json=as_json))
    mostly_refused = any(total.refusals > total.counts["received"] / 2 for total in totals)
    raise typer.Exit(MOSTLY_REFUSED if mostly_refused else 0)


async def store_files(deps: Deps, files: list[str], *, as_json: bool) -> list[Total]:
    totals = []
    try:
        for name in files:
            totals.append(await store_file(deps, name))
            print_total(totals[-1], as_json=as_json)
    finally:
        await deps.db.close()
        await deps.cache.close()
    return totals


async def store_file(deps: Deps, name: str) -> Total:
    """Store the events of a file, batch by batch. `-` is standard input."""
    total = Total(name)
    try:  # outside of the progress bar, which would stay below an error
        with open_events(name) as (raw, size), events_progress(name, raw, size) as show:
            lines = iter_lines(gunzipped(raw))
            while batch := list(islice(lines, BATCH)):
                reader = BatchReader(now())
                outcome = await create_events(deps, reader.read_each([line.text for line in batch]))
                if not total.counts and has_no_event(outcome):
                    say_above_bar(f"trawl: {name}: no line is an event; {KINDS}")
                total.add(outcome, batch)
                show(total)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        print_total(total, as_json=False)
        fail(f"{name}: the gzip data is broken or cut off; the events before that are stored")
    except (csv.Error, WrongHeader) as error:
        fail(f"{name}: {error}")
    return total


def has_no_event(outcome: BatchOutcome) -> bool:
    """Return whether nothing in a batch has even the form of an event, as in a file of another kind."""
    return outcome.invalid == outcome.received and not any(
        field_of(pointer) for verdict in outcome.results for pointer, _ in verdict.errors
    )


@contextmanager
def open_events(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a file; yields it and its size, which is unknown of standard input."""
    if name == "-":
        yield sys.stdin.buffer, None
    else:
        with ExitStack() as stack:
            try:
                file = stack.enter_context(Path(name).open("rb"))
            except OSError as error:
                fail(f"{name}: the events can't be read: {error.strerror}")
            yield file, Path(name).stat().st_size


def gunzipped(raw: BinaryIO) -> BinaryIO:
    """Return what a file holds, gunzipped if it is gzip."""
    buffered = io.BufferedReader(cast(io.RawIOBase, raw)) if not isinstance(raw, io.BufferedReader) else raw
    is_gzip = buffered.peek(2).startswith(GZIP)
    return cast(BinaryIO, gzip.GzipFile(fileobj=buffered) if is_gzip else buffered)


def iter_lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the events of CSV, which begins with the names of its fields, or of NDJSON.

    :raises WrongHeader: the CSV has other fields than those of events
    """
    first = file.readline(MAX_LINE).removeprefix(BOM)
    names = [name.strip() for name in first.decode(errors="replace").strip().split(",")]
    if names[0] != FIELDS[0]:
        yield from ndjson_lines(first, file)
    elif missing := set(FIELDS[:-1]) - set(names):
        raise WrongHeader(f"line 1: the header lacks {', '.join(sorted(missing))}; {KINDS}")
    elif unknown := set(names) - set(FIELDS):
        raise WrongHeader(f"line 1: the header also names {', '.join(sorted(unknown))}; {KINDS}")
    else:
        yield from csv_lines(names, file)


def ndjson_lines(first: bytes, file: BinaryIO) -> Iterator[Line]:
    """Yield an event a line. Of a line that is too long only the beginning, which is not JSON."""
    line, number = first, 1
    while line:
        if not line.isspace():
            yield Line(number, line)
        while len(line) >= MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE)
        line, number = file.readline(MAX_LINE), number + 1


def csv_lines(names: list[str], file: BinaryIO) -> Iterator[Line]:
    """Yield an event a record. What is not UTF-8 becomes U+FFFD, which is in no id, and refused elsewhere."""
    csv.field_size_limit(MAX_LINE)
    text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
    reader = csv.reader(text)
    for record in reader:
        if record:
            cells = dict(zip(names, record, strict=False))
            yield Line(reader.line_num + 1, event_of(cells, len(record), names))
    text.detach()  # else it closes the file, which is still asked how far it has been read


def event_of(cells: dict[str, str], count: int, names: list[str]) -> bytes:
    """Return a record as the JSON of an event. A record of too many or too few cells is not an event."""
    if count != len(names):
        return b"[]"
    properties = cells.pop("properties_json", "").strip() or "{}"
    try:
        any_value.decode(properties)
    except UNREADABLE:
        return orjson.dumps(cells | {"properties": properties})  # a string, which is refused by name
    return orjson.dumps(cells | {"properties": orjson.Fragment(properties)})


def print_total(total: Total, *, as_json: bool) -> None:
    """Print what became of a file's events, and why the first refused ones were refused."""
    counts = total.counts
    for number, verdict in total.refused:
        reason = "; ".join(map(describe, verdict.errors)) or "another event has its id"
        say(f"{total.name}:{number}: {verdict.status}: {reason}", console=err)
    if (more := total.refusals - len(total.refused)) > 0:
        say(f"{total.name}: {more:,} more are refused", console=err)
    if as_json:
        say(json.dumps({"name": total.name, **counts}))
        return
    outcomes = ", ".join(f"{counts[name]:,} {name}" for name in OUTCOMES)
    say(f"{total.name}: {counts['received']:,} events: {outcomes}")


def describe(error: tuple[str, str]) -> str:
    """Return what is wrong with an event: the field, unless it is the event as a whole, and the detail."""
    pointer, detail = error
    name = field_of(pointer)
    return f"{name} {detail}" if name else detail


def field_of(pointer: str) -> str:
    """Return the field that a pointer into a batch names; empty if it names an event as a whole."""
    _, _, *names = pointer.removeprefix("/").split("/")  # after `events` and its index
    return names[-1] if names else ""


@contextmanager
def events_progress(name: str, raw: BinaryIO, size: int | None) -> Iterator[Callable[[Total], None]]:
    """Show a progress bar on a terminal, nothing elsewhere. Yields the function that updates it."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[events]:,} events, {task.fields[refused]:,} refused"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(printable(name), total=size, events=0, refused=0)

        def show(total: Total) -> None:
            read = raw.tell() if size is not None else 0
            progress.update(task, completed=read, events=total.counts["received"], refused=total.refusals)

        yield show
