"""A right server of the course in memory. Tests replace its rules by the mistakes of learners."""

from contextlib import AbstractContextManager
from threading import RLock
from typing import Any
from uuid import uuid4

from werkzeug import Request, Response

from tests.support.small_http import bearer, error, new_row, route
from tests.support.small_receiver import SmallReceiver
from tests.support.wsgi_server import serve

Json = dict[str, Any]
BAD_WORDS = {"kerfuffle", "sharbert", "fornax"}
TEXT = "text/plain; charset=utf-8"


class SmallChirpy(SmallReceiver):
    """The server. Each attribute or method is a rule, and a subclass breaks one."""

    wrong_login = 401, "Incorrect email or password"
    unknown_email = wrong_login
    nothing_found: Any = ()
    lock_class: Any = RLock

    def __init__(self) -> None:
        self.lock = self.lock_class()
        self.reset()

    @property
    def application(self) -> Any:
        return Request.application(self.answer)

    def serve(self) -> AbstractContextManager[str]:
        return serve(self.application)

    def answer(self, request: Request) -> Response:
        self.visits += self.is_visit(request.path)
        with self.lock:
            return route(self, ROUTES, request)

    def is_visit(self, path: str) -> bool:
        return path.startswith("/app/")

    def reset(self) -> None:
        self.visits, self.users, self.chirps = 0, dict[str, Json](), dict[str, Json]()
        self.access, self.refresh = dict[str, str](), dict[str, str]()
        self.forget_events()

    def post_reset(self, _request: Request) -> Response:
        self.reset()
        return Response("reset")

    def get_page(self, _request: Request, name: str) -> Response:
        return Response("Welcome to Chirpy", status=200 if name in {"", "assets/logo.png"} else 404)

    def get_redirect(self, _request: Request) -> Response:
        return Response(status=301, headers={"Location": "/app/"})

    def get_health(self, _request: Request) -> Response:
        return Response("OK", content_type=TEXT)

    def post_health(self, _request: Request) -> Response:
        return Response(status=405)

    def get_metrics(self, _request: Request) -> Response:
        page = f"<h1>Welcome, Chirpy Admin</h1><p>Chirpy has been visited {self.visits} times!</p>"
        return Response(page, content_type="text/html")

    def post_validation(self, _request: Request) -> Any:
        return error(404)

    def shown(self, user: Json) -> Json:
        return {name: value for name, value in user.items() if name != "password"}

    def post_user(self, request: Request) -> Any:
        user = new_row() | {"is_chirpy_red": False} | request.get_json()
        self.users[user["id"]] = user
        return 201, self.shown(user)

    def log_in(self, request: Request) -> Any:
        given = request.get_json()
        user = next((u for u in self.users.values() if u["email"] == given["email"]), None)
        if not user or user["password"] != given["password"]:
            return error(*(self.wrong_login if user else self.unknown_email))
        token, refresh = f"a.b.{uuid4().hex}", uuid4().hex
        self.access[token] = self.refresh[refresh] = user["id"]
        return 200, self.shown(user) | {"token": token, "refresh_token": refresh}

    def user_of(self, request: Request) -> str | None:
        return self.access.get(bearer(request))

    def put_user(self, request: Request) -> Any:
        if not (user_id := self.user_of(request)):
            return error(401)
        self.users[user_id].update(request.get_json())
        return 200, self.shown(self.users[user_id])

    def post_refresh(self, request: Request) -> Any:
        if bearer(request) not in self.refresh:
            return error(401)
        self.access[token := f"a.b.{uuid4().hex}"] = self.refresh[bearer(request)]
        return 200, {"token": token}

    def post_revoke(self, request: Request) -> Any:
        self.refresh.pop(bearer(request), None)
        return 204, None

    def is_too_long(self, body: str) -> bool:
        return len(body) > 140

    def clean(self, body: str) -> str:
        return " ".join("****" if word.lower() in BAD_WORDS else word for word in body.split(" "))

    def post_chirp(self, request: Request) -> Any:
        author, body = self.user_of(request), request.get_json()["body"]
        if not author or self.is_too_long(body):
            return error(400, "Chirp is too long") if author else error(401)
        return 201, self.store(author, self.clean(body))

    def store(self, author: str, body: str) -> Json:
        chirp = new_row() | {"body": body, "user_id": author}
        self.chirps[chirp["id"]] = chirp
        return chirp

    def get_chirps(self, request: Request) -> Any:
        author, sort = request.args.get("author_id"), request.args.get("sort", "asc")
        return 200, self.listed(author, sort) or self.nothing_found

    def listed(self, author: str | None, sort: str) -> list[Json]:
        chirps = [c for c in self.chirps.values() if author in (None, c["user_id"])]
        return chirps[::-1] if sort == "desc" else chirps

    def get_chirp(self, _request: Request, chirp_id: str) -> Any:
        return (200, self.chirps[chirp_id]) if chirp_id in self.chirps else error(404)

    def may_delete(self, user_id: str, chirp: Json) -> bool:
        return bool(chirp["user_id"] == user_id)

    def delete_chirp(self, request: Request, chirp_id: str) -> Any:
        if not (user_id := self.user_of(request)):
            return error(401)
        if chirp_id not in self.chirps:
            return error(404)
        if not self.may_delete(user_id, self.chirps[chirp_id]):
            return error(403)
        del self.chirps[chirp_id]
        return 204, None


ROUTES = [
    ("GET", "/app", "get_redirect"),
    ("GET", "/app/(.*)", "get_page"),
    ("GET", "/api/healthz", "get_health"),
    ("POST", "/api/healthz", "post_health"),
    ("GET", "/admin/metrics", "get_metrics"),
    ("POST", "/api/validate_chirp", "post_validation"),
    ("POST", "/admin/reset", "post_reset"),
    ("POST", "/api/users", "post_user"),
    ("PUT", "/api/users", "put_user"),
    ("POST", "/api/login", "log_in"),
    ("POST", "/api/refresh", "post_refresh"),
    ("POST", "/api/revoke", "post_revoke"),
    ("POST", "/api/chirps", "post_chirp"),
    ("GET", "/api/chirps", "get_chirps"),
    ("GET", "/api/chirps/([^/]+)", "get_chirp"),
    ("DELETE", "/api/chirps/([^/]+)", "delete_chirp"),
    ("POST", "/api/polka/webhooks", "post_webhook"),
]
