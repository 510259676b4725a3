"""Why deliveries of webhooks are refused. A refused delivery leaves nothing in the database."""

from chirpy.web.refused import Refused


class NotFromPolka(Refused):
    """The credentials are missing or wrong. One text for all reasons; the log has the reason."""

    status = 401
    error = "Authentication failed"
    header = ("WWW-Authenticate", 'ApiKey realm="polka"')


class WrongKey(NotFromPolka):
    """The ApiKey is missing or wrong."""


class WrongSignature(NotFromPolka):
    """No signature matches, or a header that belongs to it is missing or malformed."""


class WrongTime(NotFromPolka):
    """The delivery was signed too long ago, or in the future."""


class UnknownUser(Refused):
    """No user has this id. A later delivery of the event can succeed."""

    status = 404
    error = "There is no user with this id"
    hint = "Sign the user up at POST /api/users, then deliver the event again"

    def __init__(self) -> None:
        super().__init__(fields={"data.user_id": "is not the id of a user"})


class EventIdReused(Refused):
    """An event with this id, but another type or other data, was received before. It stays."""

    status = 409
    error = "Another event with this id was received before"
    hint = "Give each event its own id; every delivery of an event must have the same content"

    def __init__(self) -> None:
        super().__init__(fields={"id": "belongs to an event with another type or other data"})
