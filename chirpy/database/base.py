"""The base class of all models: named constraints, text without a length, times with a zone."""

from datetime import datetime

from sqlalchemy import DateTime, MetaData, Table, Text, text
from sqlalchemy.orm import DeclarativeBase, registry

NEW_ID = text("gen_random_uuid()")
NOW = text("now()")

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base class of all models."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING_CONVENTION),
        type_annotation_map={str: Text(), datetime: DateTime(timezone=True)},
    )


def table_of(model: type[Base]) -> Table:
    """Return the table of a model, for statements that need rows instead of objects."""
    return Base.metadata.tables[model.__tablename__]
