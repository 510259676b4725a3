"""Answers that Postgres writes: rows become JSON there, in the form that a schema describes.

The schema stays the one description of an answer. What is left out is a hundred objects made in
Python only to be taken apart again, which costs several times what the query does.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import Column, ColumnElement, Table, func, literal_column

from chirpy.fields import Id, Instant

UTC: ColumnElement[str] = literal_column("'UTC'")
# What the field Instant writes, in the words of to_char.
INSTANT: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")


def json_of(schema: Schema, table: Table) -> ColumnElement[str]:
    """The SQL of a row's JSON: what `schema` dumps, in its order. No column may be null."""
    return func.concat(*pieces(schema, table)).label("json")


def pieces(schema: Schema, table: Table) -> Iterator[ColumnElement[Any]]:
    """The text between the values, and the values, in turn."""
    between = "{"
    for name, field in schema.dump_fields.items():
        value, quote = written(field, table.c[name])
        yield literal_column(f"""'{between}"{name}":{quote}'""")
        yield value
        between = f"{quote},"
    yield literal_column(f"'{between[:-1]}}}'")


def written(field: fields.Field[Any], column: Column[Any]) -> tuple[ColumnElement[Any], str]:
    """A column as its field writes it, and the quotes around what needs no escaping."""
    if isinstance(field, Instant):
        return func.to_char(func.timezone(UTC, column), INSTANT), '"'
    if isinstance(field, Id):
        return column, '"'
    return func.to_json(column), ""


def one(row: str) -> Response:
    """The answer that is this row."""
    return Response(f"{row}\n", mimetype="application/json")


def several(rows: Iterable[str]) -> Response:
    """The answer that is an array of these rows."""
    return one(f"[{','.join(rows)}]")
