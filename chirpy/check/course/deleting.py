"""Authorization: delete chirps."""

from uuid import uuid4

from chirpy.check.registry import Chapter
from chirpy.check.server import Server

AUTHORIZATION = Chapter("Authorization", "chirps")


@AUTHORIZATION.check("Delete a chirp")
def delete(server: Server) -> None:
    """DELETE /api/chirps/{id} answers 204, and the chirp is gone"""
    user = server.user()
    path = f"/api/chirps/{server.chirp(user)}"
    server.delete(path, user.token).has_status(204)
    server.get(path).has_status(404)


@AUTHORIZATION.check("Delete a chirp")
def delete_of_another(server: Server) -> None:
    """DELETE of another's chirp is a 403, and the chirp stays"""
    path = f"/api/chirps/{server.chirp(server.user('walt'))}"
    server.delete(path, server.user("saul").token).has_status(403)
    server.get(path).has_status(200)


@AUTHORIZATION.check("Delete a chirp")
def delete_without_token(server: Server) -> None:
    """DELETE without a token is a 401, for unknown chirps too

    The token comes first: without it, an answer must not tell which chirps exist.
    """
    server.delete(f"/api/chirps/{server.chirp(server.user())}").has_status(401)
    server.delete(f"/api/chirps/{uuid4()}").has_status(401)


@AUTHORIZATION.check("Delete a chirp")
def delete_unknown(server: Server) -> None:
    """DELETE of an unknown chirp is a 404"""
    server.delete(f"/api/chirps/{uuid4()}", server.user().token).has_status(404)
