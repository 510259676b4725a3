"""Emails, and what a login tells."""

from time import perf_counter

from chirpy.check.people import new_credentials
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

BEYOND = Chapter("Beyond the course", "users", strict=True)
TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
NOTICEABLE = 0.005  # seconds


@BEYOND.check("Emails")
def taken_email(server: Server) -> None:
    """An email has one account, in upper and lower case: a second sign-up is a 409"""
    taken = server.user().credentials
    for email in (taken["email"], taken["email"].upper(), f" {taken['email']} "):
        server.post("/api/users", taken | {"email": email}).has_status(409)


@BEYOND.check("Emails")
def change_to_taken_email(server: Server) -> None:
    """PUT /api/users to the email of another user is a 409"""
    taken = server.user("saul").credentials
    server.put("/api/users", taken, server.user("walt").token).has_status(409)


@BEYOND.check("Emails")
def invalid_email(server: Server) -> None:
    """An invalid email is a 400"""
    for email in ("walt", "@", "walt@", ""):
        server.post("/api/users", new_credentials() | {"email": email}).has_status(400)


@BEYOND.check("Times")
def timestamps(server: Server) -> None:
    """Times are RFC 3339 in UTC with Z and microseconds"""
    user = server.post("/api/users", new_credentials()).has_status(201)
    user.matches("created_at", TIMESTAMP).matches("updated_at", TIMESTAMP)


@BEYOND.check("Login", should=True)
def same_time(server: Server) -> None:
    """An unknown email takes as long as a wrong password

    Otherwise the time tells which emails have an account. Of three attempts, the fastest counts.
    """
    wrong = server.user().credentials | {"password": "wrong"}
    attempts = [
        (seconds_of(server, wrong), seconds_of(server, new_credentials())) for _ in range(3)
    ]
    known, unknown = map(min, zip(*attempts, strict=True))
    is_faster = unknown < known / 4 and known - unknown > NOTICEABLE
    times = f"about {known * 1000:.0f} ms as for a wrong password, not {unknown * 1000:.0f} ms"
    server.steps[-1].expect(not is_faster, times)


def seconds_of(server: Server, credentials: dict[str, str]) -> float:
    """Return the time of a login that fails."""
    start = perf_counter()
    server.post("/api/login", credentials).has_status(401)
    return perf_counter() - start
