"""Servers and Routing: the website, health, metrics, reset."""

import re

from chirpy.check.answers import Answer
from chirpy.check.outcomes import NotApplicable
from chirpy.check.people import new_credentials
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

SERVERS = Chapter("Servers", "website")
ROUTING = Chapter("Routing", "admin")
VISITS = re.compile(r"visited (\d+) times")


@SERVERS.check("Website")
def welcome_page(server: Server) -> None:
    """GET /app/ shows Welcome to Chirpy"""
    server.get("/app/").has_status(200).contains("Welcome to Chirpy")


@SERVERS.check("Images")
def logo(server: Server) -> None:
    """GET /app/assets/logo.png is there"""
    answer = server.get("/app/assets/logo.png").has_status(200)
    answer.expect(answer.body, "a body that is not empty")


@ROUTING.check("Health")
def health(server: Server) -> None:
    """GET /api/healthz answers OK"""
    server.get("/api/healthz").has_status(200).contains("OK")


@ROUTING.check("Health")
def health_is_plain_text(server: Server) -> None:
    """GET /api/healthz is plain text in UTF-8"""
    health = server.get("/api/healthz")
    health.has_status(200).has_header("Content-Type", "text/plain; charset=utf-8")


@ROUTING.check("Methods", go_only=True)
def wrong_method(server: Server) -> None:
    """POST /api/healthz is a 405

    The path exists, the method does not. A route for every method would answer 200.
    """
    server.post("/api/healthz").has_status(405)


@ROUTING.check("Metrics")
def metrics_page(server: Server) -> None:
    """GET /admin/metrics is a page in HTML"""
    metrics = server.get("/admin/metrics").has_status(200).has_header("Content-Type", "text/html")
    metrics.contains("<h1>Welcome, Chirpy Admin</h1>").contains("Chirpy has been visited")


@ROUTING.check("Metrics")
def visits(server: Server) -> None:
    """Each request below /app/ counts one visit"""
    before = count_visits(server.get("/admin/metrics"))
    server.get("/app/")
    server.get("/app/assets/logo.png")
    after = server.get("/admin/metrics")
    after.expect(count_visits(after) == before + 2, f"{before + 2} visits, 2 more than before")


@ROUTING.check("Metrics", go_only=True)
def redirect_is_no_visit(server: Server) -> None:
    """The redirect from /app to /app/ counts no visit"""
    before = count_visits(server.get("/admin/metrics"))
    if not 300 <= server.get("/app").status < 400:
        raise NotApplicable("GET /app is not redirected")
    after = server.get("/admin/metrics")
    after.expect(count_visits(after) == before, f"{before} visits, as before")


@ROUTING.check("Reset")
def reset_deletes_visits(server: Server) -> None:
    """POST /admin/reset sets the visits to 0"""
    server.get("/app/")
    server.reset().has_status(200)
    metrics = server.get("/admin/metrics")
    metrics.expect(count_visits(metrics) == 0, "0 visits")


@ROUTING.check("Reset")
def reset_deletes_users(server: Server) -> None:
    """POST /admin/reset deletes all users"""
    credentials = new_credentials()
    server.post("/api/users", credentials).has_status(201)
    server.reset().has_status(200)
    login = server.post("/api/login", credentials)
    login.expect(400 <= login.status < 500, "a refusal, status 4xx")


@ROUTING.check("Reset")
def reset_deletes_chirps(server: Server) -> None:
    """After POST /admin/reset, GET /api/chirps is an empty array

    It is [], not null: a client can then loop over it.
    """
    server.reset().has_status(200)
    chirps = server.get("/api/chirps").has_status(200)
    chirps.expect(chirps.json == [], "[]")


def count_visits(metrics: Answer) -> int:
    """Return the number of visits on the page."""
    found = VISITS.search(metrics.text)
    metrics.expect(metrics.status == 200 and found, "Chirpy has been visited N times!")
    return int(found[1]) if found else 0
