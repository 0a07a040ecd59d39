"""The view `visit`: live visits and the lines of logs, with their names. It reads all parts."""

import uuid
from datetime import datetime

from sqlalchemy import Integer, SmallInteger
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.models.base import Base


class ViewBase(DeclarativeBase):
    """Views stand apart from tables, which migrations compare with the database."""

    type_annotation_map = Base.type_annotation_map


class Visit(ViewBase):
    __tablename__ = "visit"

    occurred_at: Mapped[datetime]
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
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
    buyer_id: Mapped[int | None]
    part_id: Mapped[int | None]
    method: Mapped[str | None]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    bytes: Mapped[int | None]
    referrer: Mapped[str | None]
    agent: Mapped[str | None]
    browser: Mapped[str | None]
    os: Mapped[str | None]
    device: Mapped[str | None]
    traffic: Mapped[str]
