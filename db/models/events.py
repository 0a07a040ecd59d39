"""Events that programs report."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, Index, Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Event(Base):
    """Known by the id that its sender gave it, so that sending it again is harmless.

    Lists go by (occurred_at, event_id), newest first; each filter has an index that ends with these two.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_occurred_at", "occurred_at", "event_id"),
        Index("ix_event_user_id", "user_id", "occurred_at", "event_id"),
        Index("ix_event_event_type", "event_type", "occurred_at", "event_id"),
        Index(
            "ix_event_properties",
            "properties",
            postgresql_using="gin",
            postgresql_ops={"properties": "jsonb_path_ops"},
        ),
        # Where in the table a span of time is, to be joined with the index before (queries/event_pages.py).
        # A thousandth of its size, and nearly free to keep; late events do not spoil it.
        Index(
            "ix_event_time_ranges",
            "occurred_at",
            postgresql_using="brin",
            postgresql_ops={"occurred_at": "timestamptz_minmax_multi_ops"},
        ),
    )

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    event_type: Mapped[str]
    occurred_at: Mapped[datetime]
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB)


class EventBatch(Base):
    """Events that were stored together, as columns: what statistics count until they are merged into a part.

    Written in the statement that stores the events, of those that were new.
    """

    __tablename__ = "event_batch"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    first_at: Mapped[datetime]
    events: Mapped[int] = mapped_column(Integer)
    occurred: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    user_id: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    event_type: Mapped[list[str]] = mapped_column(ARRAY(Text))


class EventPart(Base):
    """Events of many batches, merged. A part is written once, and replaced as a whole."""

    __tablename__ = "event_part"
    __table_args__ = (Index("ix_event_part_first_at", "first_at"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    token: Mapped[uuid.UUID]  # names its columns, and the file of them
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    events: Mapped[int] = mapped_column(Integer)


class DroppedPart(Base):
    """A deleted part, of visits or of events, whose columns are still there (db.queries.dropped_parts)."""

    __tablename__ = "dropped_part"

    token: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    dropped_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EventPartColumns(Base):
    """The columns of a part of events, in order of time; apart, since a cluster spreads them over its nodes.

    `user_index` and `type_index` count from 0 in `users` and `types`, which are in order, each once.
    """

    __tablename__ = "event_part_columns"

    token: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    occurred: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    user_index: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    users: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    type_index: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
