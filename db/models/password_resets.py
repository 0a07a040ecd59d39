"""Tokens that set a forgotten password."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class PasswordReset(Base):
    """A token that sets the password of an account, once. It is 256 random bits; its SHA-256 is kept.

    One that was mailed has the `email_key` that it went to, and is void when the account's e-mail changes.
    """

    __tablename__ = "password_reset"

    token_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    email_key: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
