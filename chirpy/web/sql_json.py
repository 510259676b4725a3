"""Responses whose JSON Postgres writes, in the form that a schema describes.

The schema stays the one description of the response. Postgres writes the JSON several times faster
than Python, which would first make an object of each row.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response
from marshmallow import Schema, fields
from sqlalchemy import Column, ColumnElement, Table, func, literal_column

from chirpy.web.timestamps import TimestampField
from chirpy.web.uuids import UUIDField

UTC_ZONE: ColumnElement[str] = literal_column("'UTC'")
# The format of TimestampField, for to_char.
TIMESTAMP_FORMAT: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")


def json_object(schema: Schema, table: Table) -> ColumnElement[str]:
    """Return the SQL of a row's JSON: what `schema` dumps, in its order. No column may be null."""
    return func.concat(*json_fragments(schema, table)).label("json")


def json_fragments(schema: Schema, table: Table) -> Iterator[ColumnElement[Any]]:
    """Yield, in turn, the text before a value and the value."""
    separator = "{"
    for name, field in schema.dump_fields.items():
        value, quote = json_value(field, table.c[name])
        yield literal_column(f"""'{separator}"{name}":{quote}'""")
        yield value
        separator = f"{quote},"
    yield literal_column(f"'{separator[:-1]}}}'")


def json_value(field: fields.Field[Any], column: Column[Any]) -> tuple[ColumnElement[Any], str]:
    """Return a column in its field's format, and the quotes around it if it needs no escaping."""
    if isinstance(field, TimestampField):
        return func.to_char(func.timezone(UTC_ZONE, column), TIMESTAMP_FORMAT), '"'
    if isinstance(field, UUIDField):
        return column, '"'
    return func.to_json(column), ""


def object_response(row: str) -> Response:
    """Return the response with this JSON object."""
    return Response(f"{row}\n", mimetype="application/json")


def array_response(rows: Iterable[str]) -> Response:
    """Return the response with an array of these JSON objects."""
    return object_response(f"[{','.join(rows)}]")
