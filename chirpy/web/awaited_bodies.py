"""Stand-ins for a request body that has not arrived: reading one raises why.

The server passes one as `wsgi.input`. A view that reads no body, or refuses the request before it
does, can so respond to a client that sends its body slowly or never.
"""


class BodyAwaited(BaseException):
    """The view needs the body. The server runs it again when the body is there.

    Not an Exception, so that nothing responds to it. A view reads the body before it changes
    anything, so its first run has no effect.
    """


class BodyStandIn:
    """A stream whose `read` raises an exception."""

    def __init__(self, reason: type[BaseException]) -> None:
        self.reason = reason

    def read(self, size: int = -1) -> bytes:
        """Raise the reason."""
        raise self.reason(size)


AWAITED = BodyStandIn(BodyAwaited)
LATE = BodyStandIn(TimeoutError)
TRUNCATED = BodyStandIn(ConnectionResetError)
