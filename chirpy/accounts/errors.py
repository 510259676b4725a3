"""Why requests about accounts are refused."""

from chirpy.web.refused import Refused


class Unauthorized(Refused):
    """The request has no valid token. RFC 9110, section 15.5.2, requires the challenge."""

    status = 401
    header = ("WWW-Authenticate", 'Bearer realm="chirpy"')


class AuthorizationMissing(Unauthorized):
    """The request has no Authorization header."""

    error = "The Authorization header is missing"
    hint = "Send one header `Authorization: Bearer <token>`"


class AuthorizationMalformed(Unauthorized):
    """The Authorization header is not `Bearer <token>`."""

    error = "The Authorization header is malformed"
    hint = "Send one header `Authorization: Bearer <token>`"


class InvalidAccessToken(Unauthorized):
    """The access token is malformed, or Chirpy did not sign it."""

    error = "The access token is not valid"
    hint = "Get a new one at POST /api/refresh"


class ExpiredAccessToken(Unauthorized):
    """The access token was valid, and its lifetime is over."""

    error = "The access token has expired"
    hint = "Get a new one at POST /api/refresh"


class AccessTokenRequired(Unauthorized):
    """The request has a refresh token where the access token belongs."""

    error = "This is a refresh token; this route requires the access token"
    hint = "Send the `token` from the response of POST /api/login"


class RefreshTokenRequired(Unauthorized):
    """The request has an access token where the refresh token belongs."""

    error = "This is an access token; this route requires the refresh token"
    hint = "Send the `refresh_token` from the response of POST /api/login"


class InvalidRefreshToken(Unauthorized):
    """The refresh token is unknown, expired or revoked."""

    error = "The refresh token is unknown, expired or revoked"
    hint = "Log in at POST /api/login"


class WrongCredentials(Unauthorized):
    """The email has no account, or the password is wrong. One text for both."""

    error = "Incorrect email or password"
    hint = "To create an account: POST /api/users"


class TooManyAttempts(Refused):
    """A limit is reached. After `seconds` there is room for one more attempt."""

    status = 429

    def __init__(self, seconds: int) -> None:
        self.header = ("Retry-After", str(seconds))
        super().__init__(hint=f"Wait {seconds} s. {self.hint}")


class TooManyFailedLogins(TooManyAttempts):
    """Too many logins failed, for this account or from this address. Good ones are not limited."""

    error = "Too many failed logins for this account or from this address"
    hint = "The right password is accepted at any time"


class TooManySignUps(TooManyAttempts):
    """Too many users signed up from this address."""

    error = "Too many sign-ups from this address"
    hint = "Those who have an account can log in at POST /api/login"


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
