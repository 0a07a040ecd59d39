"""Roll-ups of carts: what the reports of carts, payments and buyers read.

Each counts carts by UTC day; the reports count the partial days at both ends of a period on columns of the
carts themselves. Those of people and of bots are counted apart. How many users bought how often does not add
up over days: it is counted for all time alone.
"""

import uuid
from datetime import datetime

from sqlalchemy import Integer, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class CartDay(Base):
    """Carts by the day and source of their first line."""

    __tablename__ = "cart_day"

    day: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    is_paid: Mapped[bool] = mapped_column(primary_key=True)
    carts: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class PaymentDay(Base):
    """Paid carts by the day and source of their payment, as in the two roll-ups that follow."""

    __tablename__ = "payment_day"

    day: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    carts: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class PaidCategoryDay(Base):
    """Paid carts that hold goods of a category."""

    __tablename__ = "paid_category_day"

    category_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    carts: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class PaidPairDay(Base):
    """Paid carts that hold goods of two categories. Each pair stands both ways round."""

    __tablename__ = "paid_pair_day"

    category_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    other_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    carts: Mapped[int]
    is_bot: Mapped[bool] = mapped_column(primary_key=True, server_default=false())


class Buyer(Base):
    """How many carts a user has paid: in logs, and live; and those of bots."""

    __tablename__ = "buyer"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    log: Mapped[int]
    live: Mapped[int]
    bot_log: Mapped[int] = mapped_column(server_default=text("0"))
    bot_live: Mapped[int] = mapped_column(server_default=text("0"))


class BuyerCount(Base):
    """How many users have paid so many carts. `sources` and `traffic` are parameters of a report."""

    __tablename__ = "buyer_count"

    sources: Mapped[str] = mapped_column(primary_key=True)
    purchases: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    users: Mapped[int]
    traffic: Mapped[str] = mapped_column(primary_key=True, server_default=text("'all'"))


class CartDayVersion(Base):
    """Names the carts that were opened or paid on a UTC day: it changes with each of them.

    What was computed of such a day holds as long as the version is the same, also in a restored database.
    """

    __tablename__ = "cart_day_version"

    day: Mapped[datetime] = mapped_column(primary_key=True)
    version: Mapped[uuid.UUID]
