"""Users that the checks make, and their credentials."""

from secrets import token_hex
from typing import NamedTuple


class User(NamedTuple):
    """A user who has signed up, and perhaps logged in."""

    email: str
    password: str
    id: str
    token: str = ""
    refresh_token: str = ""

    @property
    def credentials(self) -> dict[str, str]:
        """The body of a login."""
        return {"email": self.email, "password": self.password}


def new_credentials(name: str = "user") -> dict[str, str]:
    """Return an email and a password that no user has."""
    return {"email": f"{name}-{token_hex(4)}@example.com", "password": f"secret-{token_hex(8)}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token, none if it is empty."""
    return {"Authorization": f"Bearer {token}"} if token else {}
