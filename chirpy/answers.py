"""Answers that Postgres writes: rows become JSON there, in the form that a schema describes.

The schema stays the one description of an answer. What is left out is a hundred objects made in
Python only to be taken apart again, which costs several times what the query does.
"""

from collections.abc import Iterable
from typing import Any

from flask import Response
from marshmallow import Schema
from sqlalchemy import ColumnElement, Table, func, literal_column

from chirpy.fields import Instant

INSTANT: ColumnElement[str] = literal_column(
    """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
)  # what the field Instant writes


def json_of(schema: Schema, table: Table) -> ColumnElement[str]:
    """The SQL of a row's JSON: what `schema` dumps, in its order. No column may be null."""
    pieces: list[ColumnElement[Any]] = []
    for place, (name, field) in enumerate(schema.dump_fields.items()):
        column: ColumnElement[Any] = table.c[name]
        if isinstance(field, Instant):
            column = func.to_char(func.timezone(literal_column("'UTC'"), column), INSTANT)
        pieces += [literal_column(f"""'{"," if place else "{"}"{name}":'"""), func.to_json(column)]
    written: ColumnElement[str] = func.concat(*pieces, literal_column("'}'"))
    return written.label("json")


def one(row: str) -> Response:
    """The answer that is this row."""
    return Response(f"{row}\n", mimetype="application/json")


def several(rows: Iterable[str]) -> Response:
    """The answer that is an array of these rows."""
    return one(f"[{','.join(rows)}]")
