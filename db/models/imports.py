"""Imports of logs, how far each file has been read, and the lines that did not match."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base

Digest = bytes  # Import has a column of that name


class Import(Base):
    """An import of a log. `bytes` is how much has been read; counts are of committed chunks only.

    While it runs, its process holds an advisory lock and renews the heartbeat. `owner` is the lease token of
    the run: a chunk is stored only while the token stands here. `first_at` and `last_at` bound the times of
    its visits, for the undo. `prior_…` is the position of the file before this import changed it.
    """

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'done', 'failed', 'cancelled', 'undone')", name="status"),
        CheckConstraint("lines = imported + duplicates + rejected", name="lines"),
        Index("ix_import_file", "file", text("id DESC")),
        # Imports to recover if their process dies: few rows of many.
        Index(
            "ix_import_unfinished",
            "id",
            postgresql_where=text("status = 'running' OR (undo_at IS NOT NULL AND status <> 'undone')"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    file: Mapped[str | None]  # absolute path; null for standard input
    first_line_sha256: Mapped[
        Digest | None
    ]  # of the file's first line that fits; null: not known, or a stream
    location: Mapped[str | None]  # of the file; null: not known, or a stream
    status: Mapped[str] = mapped_column(server_default="running")
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    bytes: Mapped[int] = mapped_column(server_default="0")
    bytes_total: Mapped[int | None]
    lines: Mapped[int] = mapped_column(server_default="0")
    imported: Mapped[int] = mapped_column(server_default="0")
    duplicates: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    format: Mapped[str | None]  # its name, as detected
    declared_format: Mapped[str | None]  # a name, or a log_format of nginx; null where it is detected
    owner: Mapped[str | None]
    heartbeat_at: Mapped[datetime] = mapped_column(server_default=func.now())
    resumable: Mapped[bool] = mapped_column(server_default=text("false"))  # a server resumes it
    first_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    undo_at: Mapped[datetime | None]  # when its undo was requested
    prior_offset: Mapped[int | None]
    prior_line: Mapped[int | None]
    prior_sha256: Mapped[Digest | None]
    prior_import_id: Mapped[int | None]
    prior_format: Mapped[str | None]

    @property
    def lines_per_second(self) -> int:
        seconds = ((self.finished_at or self.updated_at) - self.started_at).total_seconds()
        return round(self.lines / seconds) if seconds > 0 else 0


class FilePosition(Base):
    """How far a file has been read, and a digest that distinguishes a grown file from a rewritten one.

    A file is known by its path, its first line and its location (service/logs/file_location.py): the same
    path on two machines is two files. The digest of the first line is empty where no line fits, and both are
    where the position is older than their columns.
    """

    __tablename__ = "file_position"
    __table_args__ = (
        Index(
            "ix_file_position_followed_as",
            "followed_as",
            text("updated_at DESC"),
            postgresql_where=text("followed_as IS NOT NULL"),
        ),
    )

    file: Mapped[str] = mapped_column(primary_key=True)
    first_line_sha256: Mapped[bytes] = mapped_column(primary_key=True, server_default=text("''"))
    location: Mapped[str] = mapped_column(primary_key=True, server_default="")
    offset: Mapped[int]  # bytes
    line: Mapped[int]  # lines before the offset, blank ones too: the editor's count
    prefix_sha256: Mapped[bytes]  # of all bytes before the offset
    import_id: Mapped[int | None]  # that read up to it
    followed_as: Mapped[str | None]  # the path, perhaps a link, under which it was followed
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    format: Mapped[str | None]  # by which it was read: a name, "w3c" and its fields, or a log_format of nginx


class Reject(Base):
    """A line that did not match the format."""

    __tablename__ = "reject"

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    offset: Mapped[int]
    reason: Mapped[str]
    text: Mapped[str]
