"""The responses of the OpenAPI document: answers, and refusals with an example of each."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from chirpy.web import errors, problems, request_ids
from chirpy.web.reference.operations import Answer, Examples, Operation, Refusals
from chirpy.web.reference.refusals import all_refusals
from chirpy.web.refused import Refused

Object = dict[str, Any]  # of OpenAPI

TEXT = {"type": "string"}
FIELDS = {"type": "object", "additionalProperties": TEXT, "description": "What is wrong, where"}
MORE = {"hint": TEXT | {"description": "What to do next"}, "fields": FIELDS}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": TEXT | {"description": "What is wrong"}} | MORE,
}
PROBLEM = {
    "type": "object",
    "description": "An error as RFC 9457 has it, for `Accept: application/problem+json`",
    "required": ["type", "title", "status", "detail"],
    "properties": dict.fromkeys(("type", "title", "detail"), TEXT)
    | {"status": {"type": "integer"}}
    | MORE,
}


def responses(operation: Operation, allowed: str) -> Object:
    """Return all responses of an operation, by their status."""
    refusals: dict[int, dict[str, Refused]] = defaultdict(dict)
    for name, refused in all_refusals(operation, allowed).items():
        refusals[refused.status][name] = refused
    described = {status: answer_response(answer) for status, answer in operation.answers.items()}
    described |= {431: {"description": "More than 16 KiB of headers. The answer has no body"}}
    described |= {status: refusal_response(status, group) for status, group in refusals.items()}
    return {str(status): described[status] for status in sorted(described)}


def answer_response(answer: Answer) -> Object:
    """Return the response of a request that is not refused."""
    response: Object = {"description": answer.description}
    if answer.headers:
        response["headers"] = dict(answer.headers)
    if answer.schema is not None:
        content = {"schema": answer.schema} | named(answer.examples)
        response["content"] = {answer.media_type: content}
    return response


def refusal_response(status: int, refusals: Refusals) -> Object:
    """Return the response of requests that are refused with the same status."""
    required = dict(refused.header for refused in refusals.values() if refused.header)
    headers = {name: {"schema": TEXT, "example": value} for name, value in required.items()}
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {request_ids.HEADER: {"schema": TEXT}} | headers,
        "content": {
            problems.JSON: {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {name: example(refused) for name, refused in refusals.items()},
            },
            problems.PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }


def example(refused: Refused) -> Object:
    """Return what a client gets. Its docstring says why."""
    reason, *_ = (type(refused).__doc__ or "").partition("\n")
    return {"description": reason, "value": errors.as_accepted(refused, problems.JSON).get_json()}


def named(examples: Examples) -> Object:
    """Return the `examples` of a request or a response, or nothing."""
    described = {name: {"value": value} for name, value in examples.items()}
    return {"examples": described} if described else {}
