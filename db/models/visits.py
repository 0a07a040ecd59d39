"""Visits: parts of them, which are written once, and live ones until they are merged into parts."""

import uuid
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import INET, INT8RANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Char


class VisitPart(Base):
    """Visits of one import that were stored together. Written once, and deleted or replaced as a whole.

    Live visits of one source are merged into parts of the import 0.
    """

    __tablename__ = "visit_part"
    __table_args__ = (
        Index("ix_visit_part_last_at", "last_at"),
        Index("ix_visit_part_import_id", "import_id"),
        Index("ix_visit_part_page_ids", "page_ids", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    token: Mapped[uuid.UUID]  # names what the part holds once and for all: its columns, and the file of them
    import_id: Mapped[int]
    source: Mapped[str] = mapped_column(server_default="log")
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    visits: Mapped[int] = mapped_column(Integer)
    first_position: Mapped[int]
    host: Mapped[str]  # such as https://shop.example
    page_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))  # each once, in order, without 0
    cart_ids: Mapped[Range[int] | None] = mapped_column(INT8RANGE)  # holds all of them


class VisitPartColumns(Base):
    """The columns of a part of visits, in (time, position).

    Live visits have ids of their own; the key of one is its place in the order of (time, id). `user_id` is
    who pays, as in lines, `visitor_id` who visited.

    Kinds and methods are the codes of db.kinds. The country of a visit is that of its address. A cart, pay or
    success page whose URL is made of `host` and its numbers alone has the page 0. No foreign keys: these ids
    are written millions at a time.
    """

    __tablename__ = "visit_part_columns"

    token: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    occurred: Mapped[list[datetime] | None] = mapped_column(ARRAY(DateTime(timezone=True)))
    key: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # with its time it identifies a line
    position: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # null: they follow first_position
    address_id: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    page_id: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    kind: Mapped[list[str]] = mapped_column(ARRAY(Char))
    # An array is null where no visit has a value, or there is a narrow form.
    cart_id: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))
    goods_id: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))
    amount: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))
    user_id: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))
    # Of formats that have them.
    method: Mapped[list[str | None] | None] = mapped_column(ARRAY(Char))
    status: Mapped[list[int | None] | None] = mapped_column(ARRAY(SmallInteger))
    bytes: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))
    referrer_id: Mapped[list[int | None] | None] = mapped_column(ARRAY(Integer))
    agent_id: Mapped[list[int | None] | None] = mapped_column(ARRAY(Integer))
    # Of live visits alone.
    request_id: Mapped[list[uuid.UUID] | None] = mapped_column(ARRAY(Uuid))
    visitor_id: Mapped[list[int | None] | None] = mapped_column(ARRAY(BigInteger))
    # Narrow forms (db.narrow_columns): upper and lower bits of seconds since 1970, keys and ids.
    second_high: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    second_low: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    key_high: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    key_low: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    address_high: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    address_low: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    page_high: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    page_low: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))


class LiveVisit(Base):
    """A live visit. The view `visit` shows it beside those of logs, which stand in parts.

    The key grows at its end, serves time ranges and tells duplicates. No foreign keys, as in parts.
    """

    __tablename__ = "live_visit"
    __table_args__ = (
        # The product pages and the cart lines of an address, from which goods are inferred.
        Index(
            "ix_live_visit_learning",
            "address",
            "occurred_at",
            "position",
            postgresql_where=text("kind IN ('product', 'cart')"),
        ),
        # The visits without a country, which a service may know later. Others cost nothing here.
        Index("ix_live_visit_unlocated", "address", postgresql_where=text("country IS NULL")),
        # The visits from which a cart is rebuilt when some of them are deleted.
        Index("ix_live_visit_cart_id", "cart_id", postgresql_where=text("cart_id IS NOT NULL")),
        Index(
            "ix_live_visit_user_id",
            "user_id",
            "occurred_at",
            "request_id",
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        # A visit's id is its own, whatever the time it is sent with.
        Index("uq_live_visit_request_id", "request_id", unique=True),
        # The page ranges that hold a rare value, for lists: a hundredth of its size, nearly free to update.
        Index(
            "ix_live_visit_values",
            "page_url",
            "country",
            "category_id",
            postgresql_using="brin",
            postgresql_ops={
                "page_url": "text_bloom_ops(n_distinct_per_range = -0.5)",
                "country": "text_bloom_ops(n_distinct_per_range = 100)",
                "category_id": "int4_bloom_ops(n_distinct_per_range = 100)",
            },
            postgresql_with={"pages_per_range": 32},
        ),
        # The same of rare agents and referrers.
        Index(
            "ix_live_visit_origins",
            "agent_id",
            "referrer_id",
            postgresql_using="brin",
            postgresql_ops={
                "agent_id": "int4_bloom_ops(n_distinct_per_range = 200)",
                "referrer_id": "int4_bloom_ops(n_distinct_per_range = 500)",
            },
            postgresql_with={"pages_per_range": 32},
        ),
    )

    occurred_at: Mapped[datetime] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)  # a UUID
    position: Mapped[int]  # orders visits of one instant: when they came in
    source: Mapped[str]
    kind: Mapped[str]
    address: Mapped[str | None] = mapped_column(INET)
    country: Mapped[str | None]
    category_id: Mapped[int | None] = mapped_column(Integer)
    product_id: Mapped[int | None] = mapped_column(Integer)
    user_id: Mapped[int | None]
    cart_id: Mapped[int | None]
    goods_id: Mapped[int | None]
    amount: Mapped[int | None]
    page_url: Mapped[str]
    buyer_id: Mapped[int | None]  # of a pay page: who pays; `user_id` is who visits
    referrer_id: Mapped[int | None] = mapped_column(Integer)
    agent_id: Mapped[int | None] = mapped_column(Integer)
    is_bot: Mapped[bool] = mapped_column(server_default=false())  # as its agent says


class MergedVisit(Base):
    """A live visit that stands in a part: its id, by which it is found, and who visited."""

    __tablename__ = "merged_visit"
    __table_args__ = (
        Index(
            "ix_merged_visit_user_id",
            "user_id",
            "occurred_at",
            postgresql_where=text("user_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
    user_id: Mapped[int | None]
