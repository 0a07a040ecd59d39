"""Sites: web pages of the shop that report their own views, without a token."""

from datetime import datetime

from sqlalchemy import ARRAY, Identity, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class Site(Base):
    """A site that may record views. Its `key` stands in its pages, so it is not a secret and stored as it is.

    `origins` are those that its pages have, each as a browser writes it.
    """

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    origins: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
