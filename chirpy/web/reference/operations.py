"""What the API reference says about a route, beyond its docstring and its path.

Each room describes its own routes in its `reference.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError

from chirpy.web.invalid_fields import InvalidFields
from chirpy.web.reference.credentials import Security
from chirpy.web.refused import Refused

JsonSchema = Mapping[str, Any]
Examples = Mapping[str, Any]  # by their name
Refusals = Mapping[str, Refused]  # by the name of the example
View = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """A response to a request that is not refused. `headers` has the schemas of its headers."""

    description: str
    schema: Schema | JsonSchema | None = None
    examples: Examples = field(default_factory=dict)
    headers: Mapping[str, JsonSchema] = field(default_factory=dict)
    media_type: str = "application/json"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A route: what it reads, its answers by their status, and why it refuses requests.

    The document adds what all routes have in common. `parameters` are those in headers, and
    `security` the alternatives of credentials, both as in OpenAPI. `path` has an example of each
    variable of the path.
    """

    answers: Mapping[int, Answer]
    refusals: Refusals = field(default_factory=dict)
    body: Schema | None = None
    bodies: Examples = field(default_factory=dict)
    path: Examples = field(default_factory=dict)
    query: Schema | None = None
    parameters: Sequence[Mapping[str, Any]] = ()
    security: Security = ()
    uses_database: bool = True


Operations = dict[View, Operation]


def refusal_of(read: Callable[..., Any], *arguments: Any) -> Refused:
    """Return why a function refuses these arguments, for an example with its true texts."""
    try:
        read(*arguments)
    except ValidationError as error:
        return InvalidFields(error)
    except Refused as refused:
        return refused
    raise AssertionError(f"{read.__qualname__} refuses nothing")
