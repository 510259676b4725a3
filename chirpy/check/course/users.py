"""Storage, Authentication, Authorization: sign up, log in, change a user."""

from collections.abc import Iterator
from typing import Any

from chirpy.check.answers import Answer
from chirpy.check.outcomes import needed
from chirpy.check.people import new_credentials
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

STORAGE = Chapter("Storage", "users")
AUTHENTICATION = Chapter("Authentication", "users")
AUTHORIZATION = Chapter("Authorization", "users")
SECRETS = ("password", "passwd", "hash")
HASHES = ("$argon2", "$2a$", "$2b$", "$2y$", "$scrypt", "$pbkdf2", "scrypt:", "pbkdf2:")


@STORAGE.check("Users")
def sign_up(server: Server) -> None:
    """POST /api/users answers 201 with the new user"""
    new = new_credentials()
    user = server.post("/api/users", new).has_status(201)
    user.has_keys("id", "created_at", "updated_at").has("email", new["email"])


@AUTHENTICATION.check("Passwords")
def no_password_in_answers(server: Server) -> None:
    """No answer has a password or its hash

    A hash can be attacked on any computer, without a limit of attempts.
    """
    new = new_credentials()
    with needed("signing up must work"):
        signed_up = server.post("/api/users", new).is_success()
    logged_in = server.post("/api/login", new)
    changed = server.put("/api/users", new, str(logged_in.member("token")))
    for answer in (signed_up, logged_in, changed):
        found = any(text in answer.text for text in (new["password"], *HASHES))
        secret = any(word in key.lower() for key in keys(answer.json) for word in SECRETS)
        answer.expect(not found and not secret, "no key or value with a password or a hash")


@AUTHENTICATION.check("Login")
def log_in(server: Server) -> None:
    """POST /api/login answers 200 with the user and both tokens"""
    new = new_credentials()
    user = server.post("/api/users", new).has_status(201)
    login = server.post("/api/login", new).has_status(200)
    login.has("id", user.member("id")).has("email", new["email"])
    login.has_keys("created_at", "updated_at", "token", "refresh_token")


@AUTHENTICATION.check("Login")
def wrong_password(server: Server) -> None:
    """A wrong password is a 401"""
    wrong = server.user().credentials | {"password": "wrong"}
    server.post("/api/login", wrong).has_status(401)


@AUTHENTICATION.check("Login")
def unknown_email(server: Server) -> None:
    """An unknown email is a 401"""
    server.post("/api/login", new_credentials()).has_status(401)


@AUTHENTICATION.check("Login")
def same_refusal(server: Server) -> None:
    """A wrong password and an unknown email get the same answer

    Otherwise the answer tells any client which emails have an account.
    """
    first = refuse_login(server, server.user().credentials | {"password": "wrong"})
    second = refuse_login(server, new_credentials())
    texts = [answer.member("error") if answer.json else answer.text for answer in (first, second)]
    second.expect(texts[0] == texts[1], f"the same error as for a wrong password: {first.shown}")


def refuse_login(server: Server, credentials: dict[str, str]) -> Answer:
    """Log in, and expect a refusal. Other checks judge its status."""
    answer = server.post("/api/login", credentials)
    return answer.expect(400 <= answer.status < 500, "a refusal, status 4xx")


@AUTHORIZATION.check("Change a user")
def change_user(server: Server) -> None:
    """PUT /api/users changes email and password"""
    user, new = server.new_user(), new_credentials("new")
    changed = server.put("/api/users", new, user.token).has_status(200)
    changed.has("id", user.id).has("email", new["email"])
    server.post("/api/login", new).has_status(200).has("id", user.id)
    refuse_login(server, user.credentials)


@AUTHORIZATION.check("Change a user")
def change_without_token(server: Server) -> None:
    """PUT /api/users without a token is a 401"""
    server.put("/api/users", new_credentials()).has_status(401)


@AUTHORIZATION.check("Change a user")
def token_before_body(server: Server) -> None:
    """PUT /api/users looks at the token before the body

    Without a token, the answer must not tell what the body should be.
    """
    server.put("/api/users", {}).has_status(401)


@AUTHORIZATION.check("Change a user")
def change_with_wrong_token(server: Server) -> None:
    """PUT /api/users with a text that is not a token is a 401"""
    server.put("/api/users", new_credentials(), "not-a-token").has_status(401)


def keys(value: Any) -> Iterator[str]:
    """Yield the keys of all objects in a JSON value of a few levels."""
    for _ in range(4):
        values = value if isinstance(value, list) else [value]
        objects = [item for item in values if isinstance(item, dict)]
        yield from (key for item in objects for key in item)
        value = [child for item in objects for child in item.values()]
