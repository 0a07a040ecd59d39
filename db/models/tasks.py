"""What people want to have done."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Identity, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base

PRIORITIES = ("low", "normal", "high")  # in their order
PRIORITY_RANK = "array_position(ARRAY['low'::text, 'normal'::text, 'high'::text], priority)"


class Task(Base):
    """A task of one account. Each change moves `updated_at` on, so it also tells versions apart.

    `title_key` and `search_text` are case-folded by the service: PostgreSQL's own folding depends on the
    locale of the database. Every index is one order of GET /tasks; those without a date come last in both.
    """

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint("status IN ('todo', 'in_progress', 'done')", name="status"),
        CheckConstraint("priority IN ('low', 'normal', 'high')", name="priority"),
        Index("ix_task_created_at", "account_id", "created_at", "id"),
        Index("ix_task_updated_at", "account_id", "updated_at", "id"),
        Index("ix_task_due_at", "account_id", text("COALESCE(due_at, 'infinity'::timestamptz)"), "id"),
        Index("ix_task_due_at_desc", "account_id", text("COALESCE(due_at, '-infinity'::timestamptz)"), "id"),
        Index("ix_task_priority", "account_id", "priority_rank", "id"),
        Index("ix_task_title", "account_id", "title_key", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    title: Mapped[str]
    title_key: Mapped[str] = mapped_column(Text(collation="C"))
    description: Mapped[str] = mapped_column(server_default="")
    search_text: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="todo")
    priority: Mapped[str] = mapped_column(server_default="normal")
    priority_rank: Mapped[int] = mapped_column(Integer, Computed(PRIORITY_RANK, persisted=True))
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
