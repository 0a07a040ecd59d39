"""The tables. Roll-ups are written in the same transaction as the rows that they sum up."""

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        bytes: LargeBinary,
    }


# ---- accounts ----------------------------------------------------------------------------------------------


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
    """A live token; its `jti` is the id. Signing out deletes the row, which is the truth."""

    __tablename__ = "session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str | None] = mapped_column(INET)
    agent: Mapped[str | None]


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
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    type: Mapped[str]
    account_id: Mapped[int | None]
    login: Mapped[str | None]
    login_key: Mapped[str | None]
    address: Mapped[str | None] = mapped_column(INET)
    agent: Mapped[str | None]


# ---- imports -----------------------------------------------------------------------------------------------


class Import(Base):
    """One reading of a log. `bytes` is how far it has come; counts are of committed chunks only."""

    __tablename__ = "import"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'done', 'failed', 'cancelled', 'undone')", name="status"),
        CheckConstraint("lines = imported + duplicates + rejected", name="lines"),
        Index("ix_import_file", "file", text("id DESC")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    file: Mapped[str | None]  # absolute path; null for standard input
    status: Mapped[str] = mapped_column(server_default="running")
    dry_run: Mapped[bool] = mapped_column(server_default=text("false"))
    bytes: Mapped[int] = mapped_column(server_default="0")
    bytes_total: Mapped[int | None]
    lines: Mapped[int] = mapped_column(server_default="0")
    imported: Mapped[int] = mapped_column(server_default="0")
    duplicates: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]

    @property
    def lines_per_second(self) -> int:
        seconds = ((self.finished_at or self.updated_at) - self.started_at).total_seconds()
        return round(self.lines / seconds) if seconds > 0 else 0


class FilePosition(Base):
    """Up to where a file has been read, and a digest that tells a grown file from a rewritten one."""

    __tablename__ = "file_position"

    file: Mapped[str] = mapped_column(primary_key=True)
    offset: Mapped[int]  # bytes
    line: Mapped[int]  # lines before the offset, blank ones too: the editor's count
    prefix_sha256: Mapped[bytes]  # of all bytes before the offset


class Reject(Base):
    """A line that did not fit the grammar."""

    __tablename__ = "reject"

    import_id: Mapped[int] = mapped_column(ForeignKey("import.id", ondelete="CASCADE"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    offset: Mapped[int]
    reason: Mapped[str]
    text: Mapped[str]


# ---- visits ------------------------------------------------------------------------------------------------


class Address(Base):
    """An address that has visited, and the ISO code of its country; null: none (private) or not known yet."""

    __tablename__ = "address"

    address: Mapped[str] = mapped_column(INET, primary_key=True)
    country: Mapped[str | None]


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
    """What a `goods_id` was learned to be, from the product page that was viewed before its cart line."""

    __tablename__ = "goods"

    goods_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(Integer, ForeignKey("product.id"))


class Visit(Base):
    """A request of the shop, from its log or live.

    The key grows at its end, serves time ranges and tells duplicates: the log's second and request key, or
    a live visit's instant and id. No foreign keys: the importer writes these ids, millions at a time.
    """

    __tablename__ = "visit"
    __table_args__ = (
        # The last product page of an address before its cart line: how goods are learned.
        Index(
            "ix_visit_product_view",
            "address",
            "occurred_at",
            "position",
            postgresql_where=text("kind = 'product'"),
        ),
        # What a user of ours did. A log's user numbers are the shop's.
        Index("ix_visit_user_id", "user_id", "occurred_at", postgresql_where=text("source <> 'log'")),
    )

    occurred_at: Mapped[datetime] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    position: Mapped[int]  # line number in its file: orders the lines of one second
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


class Cart(Base):
    """What the lines that name a cart add up to.

    Address and source are its first line's, the user is its pay line's.
    """

    __tablename__ = "cart"
    __table_args__ = (Index("ix_cart_opened_at", "opened_at"),)

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
    """Goods in a cart. Amounts of the same goods add up, beyond 64 bits if need be."""

    __tablename__ = "cart_item"
    __table_args__ = (Index("ix_cart_item_goods_id", "goods_id", "cart_id"),)

    cart_id: Mapped[int] = mapped_column(primary_key=True)
    goods_id: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Numeric)


class Payment(Base):
    """A cart's first success line: since when it is paid."""

    __tablename__ = "payment"
    __table_args__ = (Index("ix_payment_paid_at", "paid_at"),)

    cart_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    paid_at: Mapped[datetime]
    position: Mapped[int]
    source: Mapped[str]


# ---- roll-ups: what the reports read -----------------------------------------------------------------------
#
# Every zone's hours and days begin on a quarter hour of UTC, so counts by quarter answer in any zone.
# Countries are counted by day, which keeps their roll-ups small; the reports count the broken days at both
# ends of a period from `visit`.


class RequestQuarter(Base):
    __tablename__ = "request_quarter"

    quarter: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]


class CategoryQuarter(Base):
    """Views of a category's pages (`kind` category) and of its products' (`kind` product)."""

    __tablename__ = "category_quarter"

    category_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    quarter: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]


class CountryDay(Base):
    __tablename__ = "country_day"

    day: Mapped[datetime] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]


class CategoryCountryDay(Base):
    __tablename__ = "category_country_day"

    category_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    day: Mapped[datetime] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int]
