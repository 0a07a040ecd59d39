"""Visits, the names they refer to, and the carts that they add up to."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Address(Base):
    """An address that visits come from, and the ISO code of its country, or null.

    With `asked_at`, null is final: the address is private, or a service was asked and does not know it.
    """

    __tablename__ = "address"
    __table_args__ = (
        # The addresses to ask a service for: few of many.
        Index(
            "ix_address_unasked",
            "address",
            postgresql_where=text("country IS NULL AND asked_at IS NULL"),
        ),
    )

    address: Mapped[str] = mapped_column(INET, primary_key=True)
    country: Mapped[str | None]
    asked_at: Mapped[datetime | None]


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

    `learned_…` is that line's key: the first line decides, in whatever order lines arrive. If the import of
    the line or of the page is undone, the goods are inferred again.
    """

    __tablename__ = "goods"

    goods_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(Integer, ForeignKey("product.id"))
    learned_at: Mapped[datetime]
    learned_position: Mapped[int]
    learned_key: Mapped[str] = mapped_column(Text(collation="C"))
    line_import_id: Mapped[int | None]
    view_import_id: Mapped[int | None]


class Visit(Base):
    """A request of the shop, from its log or live.

    The key grows at its end, serves time ranges and tells duplicates: the log's second and request key, or
    a live visit's instant and id. No foreign keys: the importer writes these ids, millions at a time.
    """

    __tablename__ = "visit"
    __table_args__ = (
        # The product pages and the cart lines of an address, from which goods are inferred.
        Index(
            "ix_visit_learning",
            "address",
            "occurred_at",
            "position",
            postgresql_where=text("kind IN ('product', 'cart')"),
        ),
        # The visits without a country, which a service may know later. Others cost nothing here.
        Index("ix_visit_unlocated", "address", postgresql_where=text("country IS NULL")),
        # The visits from which a cart is rebuilt when some of them are deleted.
        Index("ix_visit_cart_id", "cart_id", postgresql_where=text("cart_id IS NOT NULL")),
        # The visits of a user. Of log lines only pay lines have one, and cost an entry.
        Index(
            "ix_visit_user_id",
            "user_id",
            "occurred_at",
            "request_id",
            postgresql_where=text("user_id IS NOT NULL"),
        ),
        # A live visit's id is its own, whatever the time it is sent with.
        Index("uq_visit_live_id", "request_id", unique=True, postgresql_where=text("source <> 'log'")),
        # The page ranges that hold a rare value, for lists: a hundredth of its size, nearly free to update.
        Index(
            "ix_visit_values",
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
        # Live visits among millions of log lines, which cost nothing here.
        Index("ix_visit_live_time", "occurred_at", "request_id", postgresql_where=text("source <> 'log'")),
    )

    occurred_at: Mapped[datetime] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    position: Mapped[int]  # orders visits of one instant: the line's number, or when a live one came in
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
    import_id: Mapped[int | None]
    page_url: Mapped[str]
    buyer_id: Mapped[int | None]  # of a live pay page: who pays; `user_id` is who visits


class Cart(Base):
    """A cart, added up from the lines that name it.

    Address and source are those of its first line, the user is that of its last pay line.
    """

    __tablename__ = "cart"
    __table_args__ = (
        Index("ix_cart_opened_at", "opened_at"),
        Index("ix_cart_changed_at", "changed_at"),  # carts that may still be paid
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


class CartItem(Base):
    """Goods in a cart. Their amounts add up, even beyond 64 bits."""

    __tablename__ = "cart_item"
    __table_args__ = (Index("ix_cart_item_goods_id", "goods_id", "cart_id"),)

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
