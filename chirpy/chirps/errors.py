"""Why requests about chirps are refused."""

from chirpy.web.refused import Refused


class ChirpTooLong(Refused):
    """The chirp has too many characters. The error text is the course's."""

    status = 400
    error = "Chirp is too long"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            hint=f"Use at most {limit} characters",
            fields={"body": f"has {length} characters; {limit} are allowed"},
        )


class UnknownChirp(Refused):
    """No chirp has this id."""

    status = 404
    error = "There is no chirp with this id"
    hint = "GET /api/chirps lists all chirps"


class NotTheAuthor(Refused):
    """The chirp belongs to another user."""

    status = 403
    error = "This chirp belongs to another user"
    hint = "Only its author can delete a chirp"


class InvalidIdempotencyKey(Refused):
    """The header Idempotency-Key is malformed."""

    status = 400

    def __init__(self, header: str, limit: int) -> None:
        problem = f"must have 1 to {limit} printable ASCII characters"
        hint = "Use a UUID, and the same key only to repeat a request"
        super().__init__(f"The header {header} {problem}", fields={header: problem}, hint=hint)


class IdempotencyKeyReused(Refused):
    """The Idempotency-Key was used for a chirp with another body."""

    status = 422
    error = "This Idempotency-Key was used for another chirp"
    hint = "Use a new key for each new chirp, and the same key only to repeat a request"
