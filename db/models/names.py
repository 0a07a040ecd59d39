"""What visits refer to by a number: addresses, pages, categories, products, and the goods of carts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, Integer, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import INET
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
