"""The refusals that many routes have in common."""

from chirpy.web.ambiguous_headers import AmbiguousHeaders
from chirpy.web.development import CrossSite, DevelopmentOnly, ForeignHost
from chirpy.web.http_errors import WrongMethod
from chirpy.web.overloaded import Overloaded
from chirpy.web.reference.operations import Operation, Refusals, refusal_of
from chirpy.web.request_body import BodyTimeout, BodyTooLarge, BodyTruncated
from chirpy.web.strict_json import parse
from chirpy.web.unexpected_errors import DatabaseUnavailable, InternalError
from chirpy.web.uuids import parse_path_uuid

OF_ALL_ROUTES: Refusals = {
    "repeated header": AmbiguousHeaders("The header host is repeated", hint="Send host once"),
    "bug": InternalError(),
    "overload": Overloaded(),
}
OF_BODIES: Refusals = {
    "broken JSON": refusal_of(parse, b'{"body": "Hello}'),
    "truncated": BodyTruncated(),
    "late": BodyTimeout(),
    "too large": BodyTooLarge(),
}
OF_DATABASE: Refusals = {"database away": DatabaseUnavailable()}
OF_DEVELOPMENT: Refusals = {
    "production": DevelopmentOnly(),
    "page of another site": CrossSite(),
    "public host": ForeignHost(),
}
INVALID_ID: Refusals = {"not a UUID": refusal_of(parse_path_uuid, "latest")}


def all_refusals(operation: Operation, allowed: str) -> Refusals:
    """Return the refusals of an operation, its own first. `allowed` is for the header Allow."""
    return {
        **operation.refusals,
        **(OF_BODIES if operation.body else {}),
        **(OF_DATABASE if operation.uses_database else {}),
        **OF_ALL_ROUTES,
        "another method": WrongMethod(allowed),
    }
