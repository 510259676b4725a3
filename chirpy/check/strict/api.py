"""Errors, methods and paths."""

from uuid import uuid4

from chirpy.check.answers import Answer
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

BEYOND = Chapter("Beyond the course", "api", strict=True)


@BEYOND.check("Errors")
def errors_are_json(server: Server) -> None:
    """Every error is JSON with `error` and `hint`, also for unknown paths and methods"""
    is_error(server.get("/api/nothing"), 404)
    is_error(server.get(f"/api/chirps/{uuid4()}"), 404)
    is_error(server.delete("/api/healthz"), 405).has_header("Allow", "GET")
    is_error(server.post("/api/chirps", {"body": "Hello"}), 401)


@BEYOND.check("Errors")
def problem_details(server: Server) -> None:
    """Accept: application/problem+json gets errors as RFC 9457 describes them"""
    accept = {"Accept": "application/problem+json"}
    answer = server.send("GET", "/api/nothing", None, accept).has_status(404)
    answer.has_header("Content-Type", "application/problem+json").has_keys("title", "detail")


@BEYOND.check("Errors")
def wrong_fields(server: Server) -> None:
    """Missing fields, wrong types and NUL characters are a 400 that names the field"""
    for body in ({}, {"email": "me@example.com"}, {"email": 1, "password": "x"}):
        is_error(server.post("/api/users", body), 400).has_keys("fields")
    is_error(server.post("/api/users", {"email": "a\0b@example.com", "password": "x"}), 400)


@BEYOND.check("Errors")
def broken_json(server: Server) -> None:
    """Broken JSON is a 400, and a 401 where the token is missing"""
    is_error(server.post("/api/users", b'{"email":'), 400)
    is_error(server.put("/api/users", b'{"email":'), 401)


@BEYOND.check("Errors")
def challenge(server: Server) -> None:
    """A 401 has the header WWW-Authenticate"""
    server.post("/api/refresh").has_status(401).has_header("WWW-Authenticate", "Bearer")


@BEYOND.check("Requests")
def any_content_type(server: Server) -> None:
    """A body is read as JSON with any Content-Type

    `curl -d` sends the one of a form.
    """
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    server.send("POST", "/api/login", server.user().credentials, form).has_status(200)


@BEYOND.check("Requests")
def scheme_in_any_case(server: Server) -> None:
    """The scheme Bearer is matched without regard to case"""
    token = {"Authorization": f"bearer {server.user().token}"}
    server.send("POST", "/api/chirps", {"body": "Hello", "mood": "unknown"}, token).has_status(201)


@BEYOND.check("Requests")
def head(server: Server) -> None:
    """HEAD works where GET does"""
    for path in ("/api/healthz", "/api/chirps", "/app/"):
        answer = server.send("HEAD", path).has_status(200)
        answer.expect(not answer.body, "no body")


@BEYOND.check("Requests")
def no_redirect_of_a_post(server: Server) -> None:
    """No POST is redirected, not even with an extra slash"""
    server.post("/api/login/", server.user().credentials).has_status(404)


@BEYOND.check("Answers")
def compact_json(server: Server) -> None:
    """JSON has no spaces after : and ,"""
    login = server.post("/api/login", server.user().credentials).has_status(200)
    login.expect('": ' not in login.text and '", ' not in login.text, "JSON without spaces")


@BEYOND.check("Operation")
def ready(server: Server) -> None:
    """GET /api/readyz answers 200 when the database can be used"""
    server.get("/api/readyz").has_status(200)


@BEYOND.check("Operation")
def root(server: Server) -> None:
    """GET / redirects to /app/"""
    server.get("/").has_status(301, 302, 303, 307, 308).has_header("Location", "/app/")


def is_error(answer: Answer, status: int) -> Answer:
    """Expect the one shape of all errors."""
    answer.has_status(status).has_header("Content-Type", "application/json")
    return answer.has_keys("error", "hint")
