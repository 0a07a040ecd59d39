"""The carts that visits add up to, and their payments."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, Numeric, false
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


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
    )  # few goods of many carts: each once in one

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
