"""The second factor of accounts: a secret for codes of an app, and codes for when the app is lost."""

from datetime import datetime

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Totp(Base):
    """The secret of an account's codes, encrypted by the key `key_id`. It counts once it is confirmed.

    `last_step` is that of the last code that was used: its 30 seconds, counted from 1970.
    """

    __tablename__ = "totp"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[bytes]
    key_id: Mapped[str]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(server_default=text("0"))


class RecoveryCode(Base):
    """A code that stands for one of the app, once: its use deletes the row. Its SHA-256 is kept."""

    __tablename__ = "recovery_code"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("totp.account_id", ondelete="CASCADE"), primary_key=True
    )
    code_sha256: Mapped[bytes] = mapped_column(primary_key=True)
