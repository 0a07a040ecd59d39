"""What following tells whoever listens: of files, rejects and counts."""

from pathlib import Path

from db.models import Import
from db.queries.rejects import RejectRow


class FollowEvents:
    """Does nothing with them. The command line prints them.

    `wants_rejects` says whether rejects are told.
    """

    wants_rejects = False

    def on_change(self, path: Path, change: str, detail: str) -> None:
        """Hear that a log began, waits, was rotated or cut, or can't be read. Called from any thread."""

    def on_progress(self, path: Path, record: Import) -> None:
        """Hear how far the import of a log is."""

    def on_reject(self, path: Path, reject: RejectRow) -> None:
        """Hear of a line that does not fit."""
