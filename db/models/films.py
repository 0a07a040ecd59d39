"""Favourite films, each with its details, so that listing them asks nobody."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Favourite(Base):
    """A user's favourite film. `refreshed_at` is when its details were last looked up."""

    __tablename__ = "favourite"
    __table_args__ = (
        Index("ix_favourite_added_at", "account_id", "added_at", "kinopoisk_id"),
        Index("ix_favourite_kinopoisk_id", "kinopoisk_id"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    kinopoisk_id: Mapped[int] = mapped_column(primary_key=True)
    added_at: Mapped[datetime]
    refreshed_at: Mapped[datetime]
    imdb_id: Mapped[str | None]
    name_ru: Mapped[str | None]
    name_en: Mapped[str | None]
    name_original: Mapped[str | None]
    year: Mapped[int | None]
    length_minutes: Mapped[int | None]
    type: Mapped[str | None]
    description: Mapped[str | None]
    poster_url: Mapped[str | None]
    rating_kinopoisk: Mapped[float | None] = mapped_column(Double)
    rating_imdb: Mapped[float | None] = mapped_column(Double)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text))
    genres: Mapped[list[str]] = mapped_column(ARRAY(Text))
    web_url: Mapped[str | None]
