"""What has been dropped for its age, but for what follows from it."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base


class UnfinishedRetention(Base):
    """There while visits before a moment are gone, and goods and addresses that nobody tells of may stand.

    Whoever finds it puts them right, and takes it away in the end.
    """

    __tablename__ = "unfinished_retention"

    before: Mapped[datetime] = mapped_column(primary_key=True)
