"""Storage: post chirps, and read one."""

from uuid import uuid4

from chirpy.check.registry import Chapter
from chirpy.check.server import Server

STORAGE = Chapter("Storage", "chirps")


@STORAGE.check("Post a chirp")
def post(server: Server) -> None:
    """POST /api/chirps answers 201 with the new chirp"""
    user = server.user()
    chirp = server.post("/api/chirps", {"body": "I am here"}, user.token).has_status(201)
    chirp.has_keys("id", "created_at", "updated_at")
    chirp.has("body", "I am here").has("user_id", user.id)


@STORAGE.check("Clean a chirp")
def clean(server: Server) -> None:
    """Three words become ****, in upper and lower case

    Only whole words between spaces: Sharbert! stays.
    """
    body = {"body": "A Kerfuffle about sharbert or FORNAX or Sharbert! is over"}
    chirp = server.post("/api/chirps", body, server.user().token).has_status(201)
    chirp.has("body", "A **** about **** or **** or Sharbert! is over")


@STORAGE.check("Length")
def longest(server: Server) -> None:
    """A chirp of 140 characters is accepted"""
    body = {"body": "a" * 140}
    server.post("/api/chirps", body, server.user().token).has_status(201)


@STORAGE.check("Length")
def too_long(server: Server) -> None:
    """A chirp of 141 characters is a 400: Chirp is too long"""
    answer = server.post("/api/chirps", {"body": "a" * 141}, server.user().token)
    answer.has_status(400).contains('"error"').contains("Chirp is too long")


@STORAGE.check("Length", should=True)
def length_in_characters(server: Server) -> None:
    """The length is counted in characters, not in bytes

    140 letters é are 280 bytes in UTF-8. Users count letters.
    """
    body = {"body": "é" * 140}
    server.post("/api/chirps", body, server.user().token).has_status(201)


@STORAGE.check("Post a chirp")
def post_twice(server: Server) -> None:
    """The same POST /api/chirps twice makes two chirps

    A POST is not idempotent: nothing says that the second one is a mistake.
    """
    user = server.user()
    first, second = (server.chirp(user, "Again and again") for _ in range(2))
    ids = [chirp.get("id") for chirp in server.get("/api/chirps").has_status(200).objects()]
    found = first != second and first in ids and second in ids
    server.steps[-1].expect(found, "two chirps with two ids in the list")


@STORAGE.check("Get a chirp")
def get_one(server: Server) -> None:
    """GET /api/chirps/{id} answers 200 with the chirp"""
    user = server.user()
    chirp_id = server.chirp(user, "Look at me")
    chirp = server.get(f"/api/chirps/{chirp_id}").has_status(200)
    chirp.has("id", chirp_id).has("body", "Look at me").has("user_id", user.id)


@STORAGE.check("Get a chirp")
def unknown_chirp(server: Server) -> None:
    """GET /api/chirps/{id} of an unknown id is a 404"""
    server.get(f"/api/chirps/{uuid4()}").has_status(404)
