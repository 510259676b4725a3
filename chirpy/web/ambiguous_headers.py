"""Refuse requests whose headers another server or proxy could understand in another way."""

from flask import request

from chirpy.web.refused import Refused

REPEATED = "chirpy.repeated_headers"  # in the environ: their names, as the server received them
ONLY_ONCE = ("host", "webhook-id", "idempotency-key")


class AmbiguousHeaders(Refused):
    """The headers have two meanings: 400, as RFC 9112 (3.2, 6.1) requires or allows."""


def refuse_ambiguous_headers() -> None:
    """Raise AmbiguousHeaders (400) for the current request. For `before_request`.

    granian ignores a Content-Length beside Transfer-Encoding, and closes the connection after the
    response.
    """
    environ = request.environ
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding and environ.get("CONTENT_LENGTH"):
        error = "The request has both Content-Length and Transfer-Encoding"
        raise AmbiguousHeaders(error, hint="Send only one of them")
    if coding and coding.lower() != "chunked":
        error = "The request has another Transfer-Encoding than chunked"
        raise AmbiguousHeaders(error, hint="Send the body with a Content-Length")
    repeated = environ.get(REPEATED, ())
    if "," in environ.get("HTTP_HOST", ""):  # other servers join the values; no host has a comma
        repeated = ["host"]
    for name in ONLY_ONCE:
        if name in repeated:
            raise AmbiguousHeaders(f"The header {name} is repeated", hint=f"Send {name} once")
