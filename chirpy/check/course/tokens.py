"""Authentication: access tokens and refresh tokens."""

from chirpy.check.outcomes import needed
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

AUTHENTICATION = Chapter("Authentication", "tokens")
HELLO = {"body": "Hello"}


@AUTHENTICATION.check("Access tokens")
def chirp_without_token(server: Server) -> None:
    """POST /api/chirps without a token is a 401"""
    server.post("/api/chirps", HELLO).has_status(401)


@AUTHENTICATION.check("Access tokens")
def tampered_token(server: Server) -> None:
    """POST /api/chirps with a changed token is a 401

    The signature must be verified: any client can write a token for another user.
    """
    rest, dot, signature = server.user().token.rpartition(".")
    changed = f"{rest}{dot}{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    server.post("/api/chirps", HELLO, changed).has_status(401)


@AUTHENTICATION.check("Refresh tokens")
def refresh_token_as_access_token(server: Server) -> None:
    """A refresh token is refused as access token, with a 401"""
    server.post("/api/chirps", HELLO, server.user().refresh_token).has_status(401)


@AUTHENTICATION.check("Refresh tokens")
def refresh(server: Server) -> None:
    """POST /api/refresh answers 200 with a new access token"""
    answer = server.post("/api/refresh", token=server.user().refresh_token).has_status(200)
    server.post("/api/chirps", HELLO, answer.word("token")).has_status(201)


@AUTHENTICATION.check("Refresh tokens")
def access_token_as_refresh_token(server: Server) -> None:
    """An access token is refused as refresh token, with a 401"""
    server.post("/api/refresh", token=server.user().token).has_status(401)


@AUTHENTICATION.check("Refresh tokens")
def refresh_without_token(server: Server) -> None:
    """POST /api/refresh without a token is a 401"""
    server.post("/api/refresh").has_status(401)


@AUTHENTICATION.check("Revoke")
def revoke(server: Server) -> None:
    """POST /api/revoke answers 204"""
    server.post("/api/revoke", token=server.new_user().refresh_token).has_status(204)


@AUTHENTICATION.check("Revoke")
def revoked_token(server: Server) -> None:
    """A revoked refresh token is refused, with a 401"""
    user = server.new_user()
    with needed("a token must be revoked"):
        server.post("/api/revoke", token=user.refresh_token).is_success()
    server.post("/api/refresh", token=user.refresh_token).has_status(401)
