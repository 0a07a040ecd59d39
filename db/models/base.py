"""What all tables share: names of constraints, and the column type of each Python type."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import UserDefinedType


class Char(UserDefinedType[str]):
    """PostgreSQL's type "char": one byte."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return '"char"'


ischema_names['"char"'] = Char  # what SQLAlchemy reads from a database; it knows the type as a String


MAX_BIGINT = 2**63 - 1  # the column type of ids


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
    type_annotation_map: ClassVar[dict[type, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        uuid.UUID: Uuid,
        bytes: LargeBinary,
    }
