"""What an access token says, which ones let nobody in, and what those are told who got it wrong."""

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
from tests.support.databases import Sql
from tests.support.factories import API_KEY, a_person, a_user

HEADER: dict[str, Any] = {"alg": "HS256", "typ": "JWT"}
HOUR = 3600  # seconds

Forge = Callable[..., str]


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: Any, claims: Any, secret: str) -> str:
    """A JWT of whatever header and claims, which no library would make."""
    content = f"{encoded(header)}.{encoded(claims)}"
    return f"{content}.{encoded(digest(secret.encode(), content.encode(), 'sha256'))}"


@pytest.fixture
def claims(sql: Sql) -> dict[str, Any]:
    """What a good access token of a new user says."""
    now = int(time())
    return {"iss": "chirpy-access", "sub": str(a_user(sql)), "iat": now, "exp": now + HOUR}


def knock(client: FlaskClient, authorization: str) -> TestResponse:
    """Try to get in; 400 for the body is what whoever is let in gets."""
    return client.put("/api/users", data="{", headers={"Authorization": authorization})


def lets_in(client: FlaskClient, token: str) -> bool:
    answer = knock(client, f"Bearer {token}")
    assert answer.status_code in {400, 401}
    assert answer.status_code == 400 or answer.headers["WWW-Authenticate"] == (
        'Bearer realm="chirpy"'
    )
    return answer.status_code == 400


# What it says


@pytest.mark.parametrize("source", ["login", "refresh"])
def test_an_access_token_says_who_from_when_and_until_when(
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


# Which ones let nobody in


def test_a_token_that_says_so_and_is_signed_lets_in(
    client: FlaskClient, settings: Settings, claims: dict[str, Any]
) -> None:
    assert lets_in(client, signed(HEADER, claims, settings.jwt_secret))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS512", "RS256", None, 1, []])
def test_no_other_algorithm_than_hs256_is_taken(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], algorithm: Any
) -> None:
    header = HEADER | {"alg": algorithm}
    token = signed(header, claims, settings.jwt_secret)

    assert not lets_in(client, token)
    assert not lets_in(client, token.rpartition(".")[0] + ".")


def test_a_foreign_or_missing_signature_is_not_taken(
    client: FlaskClient, settings: Settings, claims: dict[str, Any]
) -> None:
    good = signed(HEADER, claims, settings.jwt_secret)
    content, _, signature = good.rpartition(".")

    assert not lets_in(client, signed(HEADER, claims, "y" * 32))
    assert not lets_in(client, f"{content}.")
    assert not lets_in(client, content)
    assert not lets_in(client, f"{encoded(HEADER)}.{encoded(claims | {'x': 1})}.{signature}")


@pytest.mark.parametrize("name", ["iss", "sub", "iat", "exp"])
def test_every_claim_is_required(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], name: str
) -> None:
    del claims[name]

    assert not lets_in(client, signed(HEADER, claims, settings.jwt_secret))


NOT_OURS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "chirpy-refresh"},
    "an issuer in another case": {"iss": "Chirpy-Access"},
    "many issuers": {"iss": ["chirpy-access"]},
    "no issuer": {"iss": None},
    "a name as subject": {"sub": "walt"},
    "an empty subject": {"sub": ""},
    "a number as subject": {"sub": 1},
    "no subject": {"sub": None},
    "a subject in braces": {"sub": "{3311741c-680c-4546-99f3-fc9efac2036c}"},
    "a subject without hyphens": {"sub": "3311741c680c454699f3fc9efac2036c"},
    "a subject as URN": {"sub": "urn:uuid:3311741c-680c-4546-99f3-fc9efac2036c"},
    "issued in words": {"iat": "now"},
    "expiring in words": {"exp": "never"},
    "expiring never": {"exp": float("inf")},
    "expiring at no number": {"exp": float("nan")},
    "expiring null": {"exp": None},
}


@pytest.mark.parametrize("change", NOT_OURS.values(), ids=NOT_OURS)
def test_claims_that_are_not_ours_let_nobody_in(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], change: dict[str, Any]
) -> None:
    assert not lets_in(client, signed(HEADER, claims | change, settings.jwt_secret))


@pytest.mark.parametrize(("seconds", "holds"), [(-1, False), (0, False), (5, True)])
def test_a_token_holds_until_it_expires_and_then_says_so(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], seconds: int, holds: bool
) -> None:
    claims["exp"] = int(time()) + seconds

    answer = knock(client, f"Bearer {signed(HEADER, claims, settings.jwt_secret)}")

    assert answer.status_code == (400 if holds else 401)
    assert holds or answer.get_json()["error"] == "The access token has expired"
    assert holds or answer.get_json()["hint"] == "Get a new one at POST /api/refresh"


def test_a_token_from_the_future_lets_nobody_in(
    client: FlaskClient, settings: Settings, claims: dict[str, Any]
) -> None:
    future = claims | {"iat": claims["iat"] + 60}

    assert not lets_in(client, signed(HEADER, future, settings.jwt_secret))


MALFORMED: dict[str, Any] = {
    "deeply nested": b"[" * 2700,
    "cut off": b"{",
    "null": None,
    "a list": [],
    "a number": 1,
    "not UTF-8": b"\xff",
    "empty": b"",
}


@pytest.mark.parametrize("part", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_header_or_payload_lets_nobody_in(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], part: Any
) -> None:
    tokens = [
        signed(part, claims, settings.jwt_secret),
        signed(HEADER, part, settings.jwt_secret),
    ]

    assert max(map(len, tokens)) <= 4096  # a longer one is not even read
    assert not any(lets_in(client, token) for token in tokens)


HEADERS = {
    "nothing": "",
    "no token": "Bearer",
    "no scheme": "{token}",
    "another scheme": "Basic {token}",
    "an API key's scheme": "ApiKey {token}",
    "no blank": "Bearer{token}",
    "a colon": "Bearer: {token}",
    "quotes": 'Bearer "{token}"',
    "the scheme twice": "Bearer Bearer {token}",
    "a word too many": "Bearer {token} please",
    "not ASCII": "Bearer schlüssel",
    "dots": "Bearer ..",
    "more dots": "Bearer ....",
    "100 kB": "Bearer " + "x" * 100_000,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_any_other_authorization_lets_nobody_in_and_tells_what_to_send(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], header: str
) -> None:
    token = signed(HEADER, claims, settings.jwt_secret)

    answer = knock(client, header.replace("{token}", token))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="chirpy"'
    assert list(answer.get_json()) == ["error", "hint"]


def test_two_authorization_headers_let_nobody_in_even_if_both_are_right(
    client: FlaskClient, settings: Settings, claims: dict[str, Any]
) -> None:
    right = f"Bearer {signed(HEADER, claims, settings.jwt_secret)}"

    answer = client.put("/api/users", headers=[("Authorization", right)] * 2, data="{")

    assert answer.status_code == 401
    assert "one header" in answer.get_json()["hint"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR", "Bearer  "])
def test_the_scheme_may_be_written_in_any_case(
    client: FlaskClient, settings: Settings, claims: dict[str, Any], scheme: str
) -> None:
    token = signed(HEADER, claims, settings.jwt_secret)

    assert knock(client, f"{scheme} {token}").status_code == 400


# How the answer helps


def test_a_refresh_token_where_the_access_token_belongs_is_told_apart(client: FlaskClient) -> None:
    answer = knock(client, a_person(client).refresh["Authorization"])

    assert answer.status_code == 401
    assert answer.get_json() == {
        "error": "This is a refresh token; this route requires the access token",
        "hint": "Send the `token` from the response of POST /api/login",
    }


@pytest.mark.parametrize("path", ["/api/refresh", "/api/revoke"])
def test_an_access_token_where_the_refresh_token_belongs_is_told_apart(
    client: FlaskClient, path: str
) -> None:
    answer = client.post(path, headers=a_person(client).access)

    assert answer.status_code == 401
    assert answer.get_json() == {
        "error": "This is an access token; this route requires the refresh token",
        "hint": "Send the `refresh_token` from the response of POST /api/login",
    }


@pytest.mark.parametrize("path", ["/api/refresh", "/api/revoke", "/api/chirps"])
def test_an_api_key_where_bearer_belongs_is_told_what_to_send(
    client: FlaskClient, path: str
) -> None:
    answer = client.post(path, headers=API_KEY)

    assert answer.status_code == 401
    assert answer.get_json()["hint"] == "Send one header `Authorization: Bearer <token>`"
