"""Storage and Documentation: lists of chirps, by author, in both orders."""

from chirpy.check.answers import Answer
from chirpy.check.people import User
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

STORAGE = Chapter("Storage", "chirps")
DOCUMENTATION = Chapter("Documentation", "chirps")


@STORAGE.check("Get all chirps")
def oldest_first(server: Server) -> None:
    """GET /api/chirps lists all chirps, the oldest first"""
    posted = post_four(server, *two_users(server))
    in_order(server.get("/api/chirps"), posted, "oldest first")


@DOCUMENTATION.check("Author")
def by_author(server: Server) -> None:
    """GET /api/chirps?author_id=… lists the chirps of this author only"""
    walt, saul = two_users(server)
    posted = post_four(server, walt, saul)[1::2]
    chirps = server.get(author_path(server, saul))
    in_order(chirps, posted, "oldest first")
    authors = [chirp.get(server.spell("user_id")) for chirp in chirps.objects()]
    chirps.expect(all(author == saul.id for author in authors), f"only chirps of {saul.id}")


@DOCUMENTATION.check("Order")
def newest_first(server: Server) -> None:
    """GET /api/chirps?sort=desc lists the newest first"""
    posted = post_four(server, *two_users(server))
    in_order(server.get("/api/chirps?sort=desc"), posted[::-1], "newest first")


@DOCUMENTATION.check("Order")
def sort_ascending(server: Server) -> None:
    """GET /api/chirps?sort=asc lists the oldest first"""
    posted = post_four(server, *two_users(server))
    in_order(server.get("/api/chirps?sort=asc"), posted, "oldest first")


@DOCUMENTATION.check("Order")
def newest_of_author(server: Server) -> None:
    """Author and order work together"""
    walt, saul = two_users(server)
    posted = post_four(server, walt, saul)[::2]
    path = f"{author_path(server, walt)}&sort=desc"
    in_order(server.get(path), posted[::-1], "newest first")


def two_users(server: Server) -> tuple[User, User]:
    """Return two users."""
    return server.user("walt"), server.user("saul")


def author_path(server: Server, author: User) -> str:
    """Return the path of the author's chirps."""
    return f"/api/chirps?{server.spell('author_id')}={author.id}"


def post_four(server: Server, first: User, second: User) -> list[str]:
    """Post four chirps by the two in turn, and return their ids."""
    return [server.chirp(author) for author in (first, second) * 2]


def in_order(chirps: Answer, ids: list[str], order: str) -> None:
    """Expect these chirps in this order, perhaps with others between them."""
    found = [chirp.get("id") for chirp in chirps.has_status(200).objects()]
    wanted = f"these {len(ids)} of the chirps, {order}: {', '.join(ids)}"
    chirps.expect([chirp_id for chirp_id in found if chirp_id in ids] == ids, wanted)
