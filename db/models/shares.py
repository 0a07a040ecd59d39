"""Shares: views of the dashboard that whoever has the link may see."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Share(Base):
    """A link of an account to a view with its parameters. Of its key only the SHA-256 is kept."""

    __tablename__ = "share"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    view: Mapped[str]
    parameters: Mapped[dict[str, str]] = mapped_column(JSONB)
    key_sha256: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
