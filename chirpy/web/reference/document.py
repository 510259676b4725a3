"""Assemble the OpenAPI document: each route of the application with its description."""

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from inspect import cleandoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from werkzeug.routing import Rule

from chirpy.web import problems
from chirpy.web.reference.credentials import SCHEMES
from chirpy.web.reference.operations import Operation, Operations, View
from chirpy.web.reference.responses import ERROR, PROBLEM, TEXT, Object, named, responses

EXTENSION = "chirpy.reference"
VERSION = "0.1.0"
INTRODUCTION = """\
Chirpy receives webhooks correctly; the rest is a small microblog.

Bodies are JSON, up to 64 KiB. `Content-Type` is ignored, and so are unknown keys. Each error says
in `hint` what to do. `HEAD` works wherever `GET` does. Lists have pages: the header `Link` leads to
the next one. After a 503, send the same request again.
"""
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")  # in the rule of a route
STATUSES = re.compile(r"(?:^|(?<=\. ))[2-5]\d\d\b[^.]*\.\s*", re.MULTILINE)  # in a docstring


def register(app: Flask, operations: Operations) -> None:
    """Let `app.extensions[EXTENSION]()` return the document as JSON. It is built once."""
    app.extensions[EXTENSION] = cache(lambda: app.json.dumps(build(app, operations)))


def build(app: Flask, operations: Operations) -> Object:
    """Return the OpenAPI 3.1 document of `app`. Raise KeyError if a route has no description."""
    spec = APISpec(
        "Chirpy API",
        VERSION,
        "3.1.0",
        [MarshmallowPlugin()],
        info={"description": INTRODUCTION, "license": {"name": "MIT"}},
        servers=[{"url": "/"}],
        tags=[*tags(app)],
    )
    spec.components.schema("Error", ERROR)
    spec.components.schema("Problem", PROBLEM)
    for name, scheme in SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    for rule in app.url_map.iter_rules():
        operation = operations[app.view_functions[rule.endpoint]]
        described = describe(app, rule, operation)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        path = VARIABLE.sub(r"{\1}", rule.rule)
        spec.path(path, operations={method.lower(): described for method in methods})
    return spec.to_dict()


def describe(app: Flask, rule: Rule, operation: Operation) -> Object:
    """Return the operation object of a route."""
    summary, description = split_docstring(app.view_functions[rule.endpoint])
    _, name = rule.endpoint.split(".")
    path = [path_parameter(*example) for example in operation.path.items()]
    query = [{"in": "query", "schema": operation.query}] if operation.query else []
    content = {"schema": operation.body} | named(operation.bodies)
    body = {"required": True, "content": {problems.JSON: content}} if operation.body else None
    allowed = sorted(app.url_map.bind("").allowed_methods(rule.rule))
    described = {
        "tags": [room_of(app, rule)],
        "summary": summary,
        "description": description,
        "operationId": name,
        "parameters": [*path, *query, *operation.parameters],
        "requestBody": body,
        "responses": responses(operation, ", ".join(allowed)),
        "security": list(operation.security),
    }
    return {name: value for name, value in described.items() if value}


def split_docstring(view: View) -> tuple[str, str]:
    """Return the first sentence of a docstring, and the others but its list of statuses."""
    text = STATUSES.sub("", cleandoc(view.__doc__ or ""))
    summary, _, description = text.partition(".")
    return summary, description.strip()


def path_parameter(name: str, example: str) -> Object:
    """Return the parameter in a path. The name of an id ends so."""
    schema = TEXT | {"format": "uuid"} if name.endswith("_id") else TEXT
    return {"in": "path", "name": name, "required": True, "schema": schema, "example": example}


def room_of(app: Flask, rule: Rule) -> str:
    """Return the name of the package that has a route."""
    blueprint, _, _ = rule.endpoint.partition(".")
    return app.blueprints[blueprint].import_name.split(".")[1]


def tags(app: Flask) -> Iterator[Mapping[str, Any]]:
    """Yield each room with the first line of its docstring."""
    rooms = dict.fromkeys(room_of(app, rule) for rule in app.url_map.iter_rules())
    for room in rooms:
        description, *_ = (sys.modules[f"chirpy.{room}"].__doc__ or "").partition("\n")
        yield {"name": room, "description": description}
