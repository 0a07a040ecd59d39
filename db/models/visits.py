"""Visits, the names they refer to, and the carts that they add up to."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import INET, INT8RANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Char


class Address(Base):
    """An address that visits come from, and the ISO code of its country, or null.

    With `asked_at`, null is final: the address is private, or a service was asked and does not know it.
    A masked address has a row for each of its countries (db/queries/masked_addresses.py); all others have
    one, with variant 0.
    """

    __tablename__ = "address"
    __table_args__ = (
        # The addresses to ask a service for: few of many.
        Index(
            "ix_address_unasked",
            "address",
            postgresql_where=text("country IS NULL AND asked_at IS NULL"),
        ),
        Index("ix_address_variant", "variant", postgresql_where=text("variant > 0")),
    )

    address: Mapped[str] = mapped_column(INET, primary_key=True)
    variant: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, server_default="0"
    )
    id: Mapped[int] = mapped_column(Integer, Identity(), unique=True)  # in parts
    country: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    first_product_at: Mapped[datetime | None]  # no part has an earlier view of a product; null: none has any


class AddressVersion(Base):
    """One row: a number that changes with every deletion of addresses, and every change of their countries.

    Importers remember addresses, and look them up again when it has changed.
    """

    __tablename__ = "address_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int]


class Category(Base):
    """Unique by the SHA-256 of its name: the name itself may be as long as a URL, too long for an index."""

    __tablename__ = "category"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    name: Mapped[str]
    name_sha256: Mapped[bytes] = mapped_column(unique=True)


class Product(Base):
    """Known by (category, name): `salmon` exists in two categories."""

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("category_id", "name_sha256"),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    category_id: Mapped[int] = mapped_column(Integer, ForeignKey("category.id"))
    name: Mapped[str]
    name_sha256: Mapped[bytes]


class Goods(Base):
    """The product that a `goods_id` stands for: the page before its first cart line that has one.

    `learned_…` is that line's key: the first line decides, in whatever order lines arrive. `learned_key` is
    the line's id, a UUID. If the import of the line or of the page is undone, the goods are inferred again.
    """

    __tablename__ = "goods"

    goods_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(Integer, ForeignKey("product.id"))
    learned_at: Mapped[datetime]
    learned_position: Mapped[int]
    learned_key: Mapped[str] = mapped_column(Text(collation="C"))
    line_import_id: Mapped[int | None]
    view_import_id: Mapped[int | None]


class Page(Base):
    """A page that log lines name by its URL. Pages stay for good.

    The same URL may stand for two: its kind and names follow from the rules that were in force. `digest` is
    the SHA-256 of all four (db.queries.pages.page_digest), since a URL may be too long for an index.
    """

    __tablename__ = "page"
    __table_args__ = (Index("ix_page_url", "url", postgresql_using="hash"),)

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    url: Mapped[str]
    kind: Mapped[str] = mapped_column(Char)
    category_id: Mapped[int | None] = mapped_column(Integer)
    product_id: Mapped[int | None] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(unique=True)


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
    occurred: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    key: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))  # with its time it identifies a line
    position: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # null: they follow first_position
    address_id: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    page_id: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    kind: Mapped[list[str]] = mapped_column(ARRAY(Char))
    # An array is null where no visit has a value.
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


class Cart(Base):
    """A cart, added up from the lines that name it.

    Address, source and traffic are those of its first line, the user is that of its last pay line.
    """

    __tablename__ = "cart"
    __table_args__ = (
        # The page ranges of partial days, and of carts that may still be paid: nearly free to update.
        Index(
            "ix_cart_times",
            "opened_at",
            "changed_at",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 16, "autosummarize": True},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    address: Mapped[str | None] = mapped_column(INET)
    source: Mapped[str]
    opened_at: Mapped[datetime]
    opened_position: Mapped[int]
    changed_at: Mapped[datetime]
    user_id: Mapped[int | None]
    user_known_at: Mapped[datetime | None]
    user_known_position: Mapped[int | None]
    is_bot: Mapped[bool] = mapped_column(server_default=false())


class CartItem(Base):
    """Goods in a cart. Their amounts add up, even beyond 64 bits."""

    __tablename__ = "cart_item"
    __table_args__ = (
        Index("ix_cart_item_goods_id", "goods_id"),
    )  # few goods of many carts: it has each once

    cart_id: Mapped[int] = mapped_column(primary_key=True)
    goods_id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Numeric)


class Payment(Base):
    """The first success line of a cart: since then it is paid."""

    __tablename__ = "payment"
    __table_args__ = (Index("ix_payment_paid_at", "paid_at"),)

    cart_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    paid_at: Mapped[datetime]
    position: Mapped[int]
    source: Mapped[str]
