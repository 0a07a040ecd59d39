"""Roll-ups: what the reports read.

Zones' hours and days begin on a quarter hour of UTC, so counts by quarter answer in any zone; the few
quarters within which one begins are counted from `visit` (service/reports/split_quarters.py).
Countries are counted by day, which keeps their roll-ups small; the reports count the partial days at both
ends of a period from `visit`. People and bots are counted apart.
"""

from datetime import datetime

from sqlalchemy import Integer, false
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class RequestQuarter(Base):
    __tablename__ = "request_quarter"

    quarter: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class CategoryQuarter(Base):
    """Views of a category's pages (`kind` category) and of its products' (`kind` product)."""

    __tablename__ = "category_quarter"

    category_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    quarter: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class CountryDay(Base):
    __tablename__ = "country_day"

    day: Mapped[datetime] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class CategoryCountryDay(Base):
    __tablename__ = "category_country_day"

    category_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class PageVisits(Base):
    """Live visits of a page that is named by its path alone. The key is the SHA-256 of that path."""

    __tablename__ = "page_visits"

    page_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    visits: Mapped[int]
