"""Whether a text is one of many, as one bound value: 500 project codes in an IN list are 500 parameters to build, to
send and to parse for every question; here they are one JSON array.

    select(devices).where(among(devices.c.project_code, codes))
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class _Among(FunctionElement[bool]):
    """Compiled for each database."""

    inherit_cache = True
    type = Boolean()
    name = "among"


def among(column: "ColumnElement[str]", texts: Iterable[str]) -> "ColumnElement[bool]":
    """True for rows whose `column` is one of `texts`; of none, false for all."""
    return _Among(column, bindparam(None, orjson.dumps(sorted(set(texts))).decode(), type_=String, unique=True))


@compiles(_Among)
def _of_postgresql(element: _Among, compiler: Any, **how: Any) -> str:
    column, texts = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST({texts} AS JSONB))))"


@compiles(_Among, "sqlite")
def _of_sqlite(element: _Among, compiler: Any, **how: Any) -> str:
    column, texts = (compiler.process(clause, **how) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - both are compiled clauses
