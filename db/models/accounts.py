"""Accounts and how they are let in: sessions, API keys, and the audit of both."""

import uuid
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Account(Base):
    """Somebody who signs in. `login_key` and `email_key` are the case-folded forms that are unique."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("role IN ('user', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    login: Mapped[str]
    login_key: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None]
    email_key: Mapped[str | None] = mapped_column(unique=True)
    first_name: Mapped[str] = mapped_column(server_default="")
    last_name: Mapped[str] = mapped_column(server_default="")
    role: Mapped[str] = mapped_column(server_default="user")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Session(Base):
    """What began with a sign-in; tokens name it as `sid`. Signing out deletes the row, which is the truth.

    `expires_at` is when its newest tokens have expired.
    """

    __tablename__ = "session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str | None] = mapped_column(INET)
    agent: Mapped[str | None]


class RefreshToken(Base):
    """Gets the next pair of tokens of its session, once. `id` is the `jti` of the access token beside it.

    Once used, it names its successor, whose secret is sealed with this token.
    """

    __tablename__ = "refresh_token"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("session.id", ondelete="CASCADE"), index=True)
    token_sha256: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    successor_id: Mapped[uuid.UUID | None]
    sealed_successor: Mapped[bytes | None]


class ApiKey(Base):
    """A program's key. Only its SHA-256 is kept: a key is 256 random bits, so no slow hash is needed."""

    __tablename__ = "api_key"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    key_sha256: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class AuthEvent(Base):
    """Audit of authentication. It outlives the account, so it names the account without a foreign key."""

    __tablename__ = "auth_event"
    __table_args__ = (
        Index("ix_auth_event_at", "at", "id"),
        Index("ix_auth_event_account_id", "account_id", "at", "id"),
        Index("ix_auth_event_login_key", "login_key", "at", "id"),
        Index("ix_auth_event_actor_key", "actor_key", "at", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    type: Mapped[str]
    account_id: Mapped[int | None]
    login: Mapped[str | None]
    login_key: Mapped[str | None]
    actor_id: Mapped[int | None]  # who did it; None for nobody known, such as the command line
    actor: Mapped[str | None]
    actor_key: Mapped[str | None]
    address: Mapped[str | None] = mapped_column(INET)
    agent: Mapped[str | None]
