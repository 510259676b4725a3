"""Access tokens: their claims, and which Authorization headers are accepted."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hmac import digest
from time import time
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chirpy.settings import Settings
from tests.support.accounts import assert_unauthorized
from tests.support.databases import Sql
from tests.support.factories import a_person, a_user, bearer

HEADER: dict[str, Any] = {"alg": "HS256", "typ": "JWT"}
HOUR = 3600  # seconds

MakeToken = Callable[..., str]


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def make_token(sql: Sql, settings: Settings) -> MakeToken:
    """Return a function that signs a valid access token, changed by its arguments.

    PyJWT refuses to sign most of the invalid ones.
    """
    now = int(time())
    valid = {"iss": "chirpy-access", "sub": str(a_user(sql)), "iat": now, "exp": now + HOUR}

    def make(
        *,
        header: Any = HEADER,
        payload: Any = valid,
        without: str = "",
        secret: str = settings.jwt_secret,
        hash_name: str = "sha256",
        **claims: Any,
    ) -> str:
        if payload is valid:
            payload = {name: text for name, text in (valid | claims).items() if name != without}
        content = f"{encoded(header)}.{encoded(payload)}"
        return f"{content}.{encoded(digest(secret.encode(), content.encode(), hash_name))}"

    return make


def authenticate(client: FlaskClient, authorization: str) -> TestResponse:
    """Send a request with an invalid body: the status is 400 if the header is accepted."""
    return client.put("/api/users", data="{", headers={"Authorization": authorization})


@pytest.mark.parametrize("source", ["login", "refresh"])
def test_access_token_has_four_claims_and_expires_in_an_hour(
    client: FlaskClient, settings: Settings, source: str
) -> None:
    before, person = int(time()), a_person(client)
    refreshed = client.post("/api/refresh", headers=person.refresh).get_json()["token"]
    token = person.token if source == "login" else refreshed

    claims = jwt.decode(token, settings.jwt_secret, ["HS256"])

    assert jwt.get_unverified_header(token) == HEADER
    assert set(claims) == {"iss", "sub", "iat", "exp"}
    assert (claims["iss"], claims["sub"]) == ("chirpy-access", person.id)
    assert before <= claims["iat"] <= time()
    assert claims["exp"] == claims["iat"] + HOUR


ALGORITHMS: list[Any] = ["none", "NONE", "", "HS512", "RS256", None, []]
INVALID_CLAIMS: dict[str, list[Any]] = {
    "iss": ["chirpy-refresh", "Chirpy-Access", ["chirpy-access"], None],
    "sub": ["walt", "", 1, None, "3311741c680c454699f3fc9efac2036c"],
    "iat": ["now", 4_102_444_800],  # in 2100
    "exp": ["never", float("inf"), float("nan"), None],
}
MALFORMED_PARTS: list[Any] = [b"[" * 2700, b"{", b"\xff", b"", None, [], 1]
INVALID_TOKENS: list[dict[str, Any]] = [
    *({"header": HEADER | {"alg": algorithm}} for algorithm in ALGORITHMS),
    *({"without": name} for name in INVALID_CLAIMS),
    *({name: value} for name, values in INVALID_CLAIMS.items() for value in values),
    *({"header": part} for part in MALFORMED_PARTS),
    *({"payload": part} for part in MALFORMED_PARTS),
    {"header": HEADER | {"alg": "HS512"}, "hash_name": "sha512"},
    {"secret": "y" * 32},
]


@pytest.mark.parametrize("errors", INVALID_TOKENS, ids=lambda errors: f"{errors!s:.60}")
def test_invalid_access_token_is_401_signed_or_not(
    client: FlaskClient, make_token: MakeToken, errors: dict[str, Any]
) -> None:
    token = make_token(**errors)
    unsigned = token.rpartition(".")[0] + "."

    assert len(token) <= 4096  # longer tokens are not parsed
    assert_unauthorized(authenticate(client, f"Bearer {token}"))
    assert_unauthorized(authenticate(client, f"Bearer {unsigned}"))


def test_access_token_without_signature_or_with_that_of_another_is_401(
    client: FlaskClient, make_token: MakeToken
) -> None:
    content, _, _ = make_token().rpartition(".")
    _, _, signature = make_token(x=1).rpartition(".")

    for token in (content, f"{content}.", f"{content}.{signature}"):
        assert_unauthorized(authenticate(client, f"Bearer {token}"))


@pytest.mark.parametrize("seconds", [-1, 0])
def test_access_token_is_accepted_until_it_expires(
    client: FlaskClient, make_token: MakeToken, seconds: int
) -> None:
    valid, expired = (make_token(exp=int(time()) + left) for left in (5, seconds))

    assert authenticate(client, f"Bearer {valid}").status_code == 400
    body = assert_unauthorized(authenticate(client, f"Bearer {expired}"))

    assert body["error"] == "The access token has expired"
    assert body["hint"] == "Get a new one at POST /api/refresh"


@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/users"), ("POST", "/api/chirps")])
def test_access_token_of_deleted_user_is_401(
    client: FlaskClient, sql: Sql, method: str, path: str
) -> None:
    person = a_person(client)
    sql("DELETE FROM users")
    body = {"email": "gone@example.com", "password": "x", "body": "Hello"}

    assert_unauthorized(client.open(path, method=method, json=body, headers=person.access))
    assert sql("TABLE users") == []


MALFORMED_HEADERS = [
    *("", "Bearer", "{token}", "Basic {token}", "Bearer{token}", 'Bearer "{token}"'),
    *("Bearer {token} please", "Bearer schlüssel", "Bearer ..", "Bearer " + "x" * 100_000),
]


@pytest.mark.parametrize("header", MALFORMED_HEADERS, ids=lambda header: f"{header!a:.25}")
def test_malformed_authorization_header_is_401_with_hint(
    client: FlaskClient, make_token: MakeToken, header: str
) -> None:
    response = authenticate(client, header.replace("{token}", make_token()))

    assert list(assert_unauthorized(response)) == ["error", "hint"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])
def test_valid_access_token_is_accepted_with_scheme_in_any_case(
    client: FlaskClient, make_token: MakeToken, scheme: str
) -> None:
    assert authenticate(client, f"{scheme} {make_token()}").status_code == 400


def test_refresh_token_as_access_token_is_401(client: FlaskClient) -> None:
    body = assert_unauthorized(authenticate(client, f"Bearer {a_person(client).refresh_token}"))

    assert body["error"].startswith("This is a refresh token")
    assert body["hint"] == "Send the `token` from the response of POST /api/login"


@pytest.mark.parametrize("path", ["/api/refresh", "/api/revoke"])
def test_access_token_as_refresh_token_is_401(client: FlaskClient, path: str) -> None:
    body = assert_unauthorized(client.post(path, headers=bearer(a_person(client).token)))

    assert body["error"].startswith("This is an access token")
    assert body["hint"] == "Send the `refresh_token` from the response of POST /api/login"
