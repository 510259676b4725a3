"""Storage and Documentation: lists of chirps, by author, in both orders."""

from time import sleep

from chirpy.check.answers import Answer
from chirpy.check.people import User
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

STORAGE = Chapter("Storage", "chirps")
DOCUMENTATION = Chapter("Documentation", "chirps")
PAUSE = 0.005  # seconds between chirps: some servers sort by milliseconds


@STORAGE.check("Get all chirps")
def oldest_first(server: Server) -> None:
    """GET /api/chirps lists all chirps, the oldest first"""
    chirps = posted(server)
    in_order(server.get("/api/chirps"), chirps, "oldest first")


@DOCUMENTATION.check("Author")
def by_author(server: Server) -> None:
    """GET /api/chirps?author_id=… lists the chirps of this author only"""
    chirps_of_saul, saul = posted(server)[1::2], server.user("saul")
    chirps = server.get(author_path(server, saul))
    in_order(chirps, chirps_of_saul, "oldest first")
    authors = [chirp.get(server.spell("user_id")) for chirp in chirps.objects()]
    chirps.expect(all(author == saul.id for author in authors), f"only chirps of {saul.id}")


@DOCUMENTATION.check("Order")
def newest_first(server: Server) -> None:
    """GET /api/chirps?sort=desc lists the newest first"""
    chirps = posted(server)
    in_order(server.get("/api/chirps?sort=desc"), chirps[::-1], "newest first")


@DOCUMENTATION.check("Order")
def sort_ascending(server: Server) -> None:
    """GET /api/chirps?sort=asc lists the oldest first"""
    chirps = posted(server)
    in_order(server.get("/api/chirps?sort=asc"), chirps, "oldest first")


@DOCUMENTATION.check("Order")
def newest_of_author(server: Server) -> None:
    """Author and order work together"""
    chirps_of_walt = posted(server)[::2]
    path = f"{author_path(server, server.user('walt'))}&sort=desc"
    in_order(server.get(path), chirps_of_walt[::-1], "newest first")


def author_path(server: Server, author: User) -> str:
    """Return the path of the author's chirps."""
    return f"/api/chirps?{server.spell('author_id')}={author.id}"


def posted(server: Server) -> list[str]:
    """Return the ids of four chirps by two users in turn, which are posted once."""
    if not server.posted:
        authors = [server.user(name) for name in ("walt", "saul")]
        ids = []
        for author in authors * 2:
            ids.append(server.chirp(author))
            sleep(PAUSE)
        server.posted = ids
    return server.posted


def in_order(chirps: Answer, ids: list[str], order: str) -> None:
    """Expect these chirps in this order, perhaps with others between them."""
    found = [chirp.get("id") for chirp in chirps.has_status(200).objects()]
    wanted = f"these {len(ids)} of the chirps, {order}: {', '.join(ids)}"
    chirps.expect([chirp_id for chirp_id in found if chirp_id in ids] == ids, wanted)
