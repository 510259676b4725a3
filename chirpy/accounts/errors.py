"""Why requests about accounts are refused."""

from chirpy.web.refused import Refused


class Unauthorized(Refused):
    """No valid token. RFC 9110, section 15.5.2, requires the challenge."""

    status = 401
    challenge = 'Bearer realm="chirpy"'


class WrongCredentials(Unauthorized):
    """The email has no account, or the password is wrong: one text for both."""

    error = "Incorrect email or password"
    hint = "To create an account: POST /api/users"


class UserGone(Unauthorized):
    """The access token is valid, but its user was deleted."""

    error = "The user of this access token no longer exists"
    hint = "Sign up at POST /api/users"


class EmailTaken(Refused):
    """Another account has this email."""

    status = 409
    error = "This email already has an account"
    hint = "Log in at POST /api/login, or use another email"

    def __init__(self) -> None:
        super().__init__(fields={"email": "is taken"})
