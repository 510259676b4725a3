"""JSON: the route that only checks a chirp, and that the course removes again."""

from chirpy.check.answers import Answer
from chirpy.check.outcomes import NotApplicable
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

JSON = Chapter("JSON", "validation")


@JSON.check("Clean a chirp")
def validate(server: Server) -> None:
    """POST /api/validate_chirp answers with the cleaned body"""
    answer = post_if_there(server, "Such a KERFUFFLE, and sharbert too")
    answer.has_status(200).has("cleaned_body", "Such a KERFUFFLE, and **** too")


@JSON.check("Length")
def validate_too_long(server: Server) -> None:
    """POST /api/validate_chirp refuses 141 characters with a 400"""
    post_if_there(server, "a" * 141).has_status(400).has_keys("error")


def post_if_there(server: Server, body: str) -> Answer:
    """Post to the route, unless this server has no longer got it."""
    answer = server.post("/api/validate_chirp", {"body": body})
    if answer.status in (404, 405) and not server.strict:
        raise NotApplicable("the course removes this route in a later lesson")
    return answer
