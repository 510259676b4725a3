"""The refusal of a request for which no thread, or no database connection, is free."""

from chirpy.web.refused import Refused


class Overloaded(Refused):
    """More requests arrive than can be served. Nothing has been done."""

    status = 503
    error = "The server has too many requests right now"
    hint = "Send the same request again"
    header = ("Retry-After", "1")  # second
