"""What `main.py import --follow` prints: what becomes of each file, each reject, and a summary at the end."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from api.imports import ImportResponse
from commands.terminal import err, say
from db.models import Import
from db.queries.rejects import RejectRow
from service.imports.follow_events import FollowEvents

FAILED, MOSTLY_REJECTED = 1, 3  # exit codes, the worse one first
COUNTS = ("lines", "imported", "duplicates", "rejected")
SENTENCES = {
    "began": "following it",
    "waits": "waiting for it: there is no such file",
    "rotated": "was rotated; the next one follows once this one is read to its end",
    "cut": "was cut off in place; reading it anew",
    "unreadable": "can't be read",
    "undecided": "waiting for the first line that fits a known format",
    "elsewhere": "another process follows it; waiting for that one's end",
}


def worst_code(codes: Iterable[int]) -> int:
    """Return the worst of exit codes."""
    codes = set(codes)
    return next((code for code in (FAILED, MOSTLY_REJECTED) if code in codes), 0)


@dataclass(slots=True)
class FollowedFile:
    """What has become of a path: its imports, a log that it named each, and how often it was rotated."""

    imports: dict[int, Import] = field(default_factory=dict)
    rotations: int = 0
    has_failed: bool = False

    @property
    def counts(self) -> Counter[str]:
        total = Counter[str]()
        for record in self.imports.values():
            total.update({name: getattr(record, name) for name in COUNTS})
        return total

    @property
    def code(self) -> int:
        counts = self.counts
        mostly_rejected = counts["rejected"] > counts["lines"] / 2
        return FAILED if self.has_failed else MOSTLY_REJECTED if mostly_rejected else 0


class Followed(FollowEvents):
    """Prints what following tells, as text or as one JSON object a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._files: dict[Path, FollowedFile] = {}

    wants_rejects = True

    def on_change(self, path: Path, change: str, detail: str) -> None:
        file = self._file(path)
        file.rotations += change in ("rotated", "cut")
        file.has_failed = file.has_failed or change == "unreadable"
        if self._as_json:
            say(json.dumps({"event": change, "path": str(path), "detail": detail or None}))
        else:
            joint = " → " if detail.startswith("/") else ": "
            say(f"{path.name}: {SENTENCES[change]}{joint + detail if detail else ''}")

    def on_progress(self, path: Path, record: Import) -> None:
        self._file(path).imports[record.id] = record

    def on_reject(self, path: Path, reject: RejectRow) -> None:
        say(f"{path.name}:{reject.line}: {reject.reason}", console=err)

    def print_summary(self) -> int:
        """Print what became of each file. Return the exit code: that of the worst."""
        for path, file in self._files.items():
            if self._as_json:
                for record in file.imports.values():
                    say(json.dumps(ImportResponse().dump(record)))
            else:
                say(summary(path.name, file))
        return worst_code(file.code for file in self._files.values())

    def _file(self, path: Path) -> FollowedFile:
        return self._files.setdefault(path, FollowedFile())


def summary(name: str, file: FollowedFile) -> str:
    """Return the counts of a followed path in one line."""
    counts = file.counts
    rotations = f", rotations: {file.rotations}" if file.rotations else ""
    return (
        f"{name}: {counts['lines']:,} lines: {counts['imported']:,} imported, {counts['duplicates']:,} "
        f"duplicates, {counts['rejected']:,} rejected{rotations} (followed)"
    )
