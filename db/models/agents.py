"""What visits say of the software that made them, and of where they came from."""

from sqlalchemy import Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Agent(Base):
    """A user agent as lines and live visits name it, and what it tells. Agents stay for good, like pages.

    What it tells was read when it was inserted, and stays so: roll-ups have counted its visits by it.
    """

    __tablename__ = "agent"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    agent: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)  # its SHA-256: an agent may be too long for an index
    browser: Mapped[str | None]
    os: Mapped[str | None]
    device: Mapped[str | None]
    is_bot: Mapped[bool]


class Referrer(Base):
    """A page that visits came from, and the name of its host. Referrers stay for good, like pages."""

    __tablename__ = "referrer"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    url: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    host: Mapped[str | None]
