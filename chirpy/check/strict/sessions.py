"""Access tokens and refresh tokens."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from chirpy.check.registry import Chapter
from chirpy.check.server import Server

BEYOND = Chapter("Beyond the course", "tokens", strict=True)
HOUR = 3600  # seconds


@BEYOND.check("Access tokens")
def claims(server: Server) -> None:
    """The access token is a JWT with the claims of the course, for one hour"""
    user = server.user()
    login = server.post("/api/login", user.credentials).has_status(200)
    header, claims = (decode(part) for part in login.word("token").split(".")[:2])
    login.expect(header.get("alg") == "HS256", "a token signed with HS256")
    wanted = {"iss": "chirpy-access", "sub": user.id}
    login.expect(wanted.items() <= claims.items(), f"claims with {json.dumps(wanted)}")
    times = [claims.get(name) for name in ("iat", "exp")]
    begin, end = (time if isinstance(time, int) else 0 for time in times)
    login.expect(end - begin == HOUR, "exp one hour after iat, both whole seconds")


@BEYOND.check("Access tokens")
def unsigned_token(server: Server) -> None:
    """A token with the algorithm none is a 401"""
    _, claims, _ = (server.user().token + "..").split(".")[:3]
    header = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    server.post("/api/chirps", {"body": "Hello"}, f"{header}.{claims}.").has_status(401)


@BEYOND.check("Refresh tokens")
def refresh_token(server: Server) -> None:
    """The refresh token is 64 hexadecimal characters"""
    login = server.post("/api/login", server.user().credentials).has_status(200)
    login.matches("refresh_token", "[0-9a-f]{64}")


@BEYOND.check("Refresh tokens")
def new_password_revokes(server: Server) -> None:
    """A new password revokes the user's refresh tokens"""
    user = server.new_user()
    new = user.credentials | {"password": "another password"}
    server.put("/api/users", new, user.token).has_status(200)
    server.post("/api/refresh", token=user.refresh_token).has_status(401)


@BEYOND.check("Refresh tokens")
def revoke_unknown(server: Server) -> None:
    """POST /api/revoke is a 204 for an unknown token, and a 401 without one"""
    server.post("/api/revoke", token="0" * 64).has_status(204)
    server.post("/api/revoke").has_status(401)


def decode(part: str) -> dict[str, Any]:
    """Return the object in a part of a JWT, empty if it is none."""
    try:
        value = json.loads(urlsafe_b64decode(f"{part}==="))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
