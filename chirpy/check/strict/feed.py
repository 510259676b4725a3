"""Chirps: wrong ids, paging, idempotent posts."""

from secrets import token_hex

from chirpy.check.answers import Answer
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

BEYOND = Chapter("Beyond the course", "chirps", strict=True)


@BEYOND.check("Post a chirp")
def empty_chirp(server: Server) -> None:
    """An empty chirp is a 400"""
    server.post("/api/chirps", {"body": ""}, server.user().token).has_status(400)


@BEYOND.check("Post a chirp")
def code_points(server: Server) -> None:
    """The length is counted in code points: 140 emoji are accepted, 141 are not"""
    token = server.user().token
    server.post("/api/chirps", {"body": "🐦" * 140}, token).has_status(201)
    too_long = server.post("/api/chirps", {"body": "🐦" * 141}, token).has_status(400)
    too_long.has("error", "Chirp is too long")


@BEYOND.check("Get chirps")
def invalid_queries(server: Server) -> None:
    """An id that is no UUID, or an unknown order, is a 400"""
    for path in ("/api/chirps/7", "/api/chirps?author_id=walt", "/api/chirps?sort=up"):
        server.get(path).has_status(400)


@BEYOND.check("Get chirps")
def pages(server: Server) -> None:
    """A list has pages of `limit` chirps, and the header Link has the next page"""
    for _ in range(2):
        server.chirp(server.user())
    page = server.get("/api/chirps?limit=1").has_status(200).has_header("Link", 'rel="next"')
    page.expect(len(page.objects()) == 1, "an array with one chirp")
    path = page.header("Link").partition("<")[2].partition(">")[0]
    page.expect(path.startswith("/api/chirps?"), "the path of the next page in <…>")
    following = server.get(path).has_status(200)
    following.expect(following.json != page.json, "another chirp than on the first page")


@BEYOND.check("Idempotency-Key")
def replay(server: Server) -> None:
    """With an Idempotency-Key, the second POST gets the first chirp again"""
    key = token_hex(8)
    first = post_once(server, "Only once", key).has_status(201)
    second = post_once(server, "Only once", key).has_status(201)
    second.has("id", first.member("id")).has_header("Idempotency-Replayed", "true")


@BEYOND.check("Idempotency-Key")
def reused_key(server: Server) -> None:
    """The same Idempotency-Key with another body is a 422"""
    key = token_hex(8)
    post_once(server, "First", key).has_status(201)
    post_once(server, "Second", key).has_status(422)


def post_once(server: Server, body: str, key: str) -> Answer:
    """Post a chirp with an Idempotency-Key."""
    headers = {"Authorization": f"Bearer {server.user().token}", "Idempotency-Key": key}
    return server.send("POST", "/api/chirps", {"body": body}, headers)
