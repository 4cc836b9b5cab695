"""The one SQLAlchemy metadata that all tables of the desk belong to, and the column kinds they are made of."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def text(name: str, *, key: bool = False, default: str | None = "") -> "Column[str]":
    """A text that is never NULL. `default` None: the row must bring it."""
    if key or default is None:
        return Column(name, Text, primary_key=key, nullable=False)
    return Column(name, Text, nullable=False, server_default=default)


def moment(name: str) -> "Column[int]":
    """UTC nanoseconds; 0 means that it has not come."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def whole(name: str, *, key: bool = False) -> "Column[int]":
    """A whole number of 64 bits; 0 unless the row says otherwise."""
    if key:
        return Column(name, BigInteger, primary_key=True, nullable=False, autoincrement=False)
    return Column(name, BigInteger, nullable=False, server_default="0")


def flag(name: str) -> "Column[int]":
    """A column that holds 0 or 1, never nothing."""
    return Column(name, Integer, nullable=False, server_default="0")
