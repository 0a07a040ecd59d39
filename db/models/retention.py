"""Retention that is not finished."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class UnfinishedRetention(Base):
    """A row while visits before a moment are deleted, but not yet all goods and addresses that only they had.

    The next process to apply retention finishes this, and deletes the row.
    """

    __tablename__ = "unfinished_retention"

    before: Mapped[datetime] = mapped_column(primary_key=True)
