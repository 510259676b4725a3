"""The course from its first lesson to its last, as its checker sees it: over HTTP."""

import re
from typing import Any

import pytest

from tests.support.factories import API_KEY, an_event
from tests.support.server import Server

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NOBODY = "00000000-0000-4000-8000-000000000000"
WALT = {"email": "walt@breakingbad.com", "password": "123456"}
SAUL = {"email": "saul@bettercall.com", "password": "234567"}

pytestmark = pytest.mark.usefixtures("app")  # which empties the database afterwards


def test_the_whole_course_works_over_http(server: Server) -> None:
    assert server.request("POST", "/admin/reset").status == 200
    visit_the_website(server)
    walt = sign_up_and_log_in(server, WALT)
    saul = sign_up_and_log_in(server, SAUL)
    change_email_and_password(server, walt)
    first, *_ = chirp_and_list(server, walt, saul)
    refresh_and_revoke(server, saul)
    delete_a_chirp(server, first, walt, saul)
    become_chirpy_red(server, saul)
    assert server.request("POST", "/admin/reset").status == 200
    assert server.request("GET", "/api/chirps").json == []
    assert server.request("POST", "/api/login", SAUL).status == 401


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def visit_the_website(server: Server) -> None:
    assert server.request("GET", "/api/healthz").body == b"OK"
    assert "Welcome to Chirpy" in server.request("GET", "/app/").text
    assert server.request("GET", "/app/assets/logo.png").status == 200
    assert "Chirpy has been visited 2 times!" in server.request("GET", "/admin/metrics").text


def sign_up_and_log_in(server: Server, given: dict[str, str]) -> dict[str, Any]:
    signed_up = server.request("POST", "/api/users", given)
    assert signed_up.status == 201
    assert set(signed_up.json) == {"id", "created_at", "updated_at", "email", "is_chirpy_red"}
    assert MOMENT.fullmatch(signed_up.json["created_at"])
    wrong = server.request("POST", "/api/login", given | {"password": "wrong"})
    assert wrong.status == 401

    logged_in = server.request("POST", "/api/login", given)
    assert logged_in.status == 200
    user: dict[str, Any] = logged_in.json
    assert signed_up.json.items() <= user.items()
    assert user["email"] == given["email"]
    assert user["is_chirpy_red"] is False
    return user


def change_email_and_password(server: Server, user: dict[str, Any]) -> None:
    new = {"email": "heisenberg@breakingbad.com", "password": "654321"}
    assert server.request("PUT", "/api/users", new).status == 401
    assert server.request("PUT", "/api/users", new, bearer("not a token")).status == 401

    changed = server.request("PUT", "/api/users", new, bearer(user["token"]))
    assert changed.status == 200
    assert (changed.json["id"], changed.json["email"]) == (user["id"], new["email"])
    assert server.request("POST", "/api/login", WALT).status == 401
    assert server.request("POST", "/api/login", new).status == 200


def chirp_and_list(server: Server, walt: dict[str, Any], saul: dict[str, Any]) -> list[str]:
    said = [
        (walt, "I'm the one who knocks!", "I'm the one who knocks!"),
        (walt, "What a Kerfuffle this is, Sharbert!", "What a **** this is, Sharbert!"),
        (saul, "You have rights fornax", "You have rights ****"),
    ]
    chirps = []
    for author, posted, shown in said:
        chirp = server.request("POST", "/api/chirps", {"body": posted}, bearer(author["token"]))
        assert (chirp.status, chirp.json["body"]) == (201, shown)
        assert chirp.json["user_id"] == author["id"]
        chirps.append(chirp.json)
    too_long = server.request("POST", "/api/chirps", {"body": "a" * 141}, bearer(saul["token"]))
    assert (too_long.status, too_long.json["error"]) == (400, "Chirp is too long")

    assert server.request("GET", "/api/chirps").json == chirps
    assert server.request("GET", "/api/chirps?sort=asc").json == chirps
    assert server.request("GET", "/api/chirps?sort=desc").json == chirps[::-1]
    assert server.request("GET", f"/api/chirps?author_id={saul['id']}").json == chirps[2:]
    of_walt = server.request("GET", f"/api/chirps?sort=desc&author_id={walt['id']}")
    assert of_walt.json == chirps[1::-1]
    return [chirp["id"] for chirp in chirps]


def refresh_and_revoke(server: Server, user: dict[str, Any]) -> None:
    token, refresh_token = user["token"], user["refresh_token"]
    chirp = {"body": "Let me in"}
    assert server.request("POST", "/api/chirps", chirp, bearer(refresh_token)).status == 401
    assert server.request("POST", "/api/refresh", headers=bearer(token)).status == 401

    refreshed = server.request("POST", "/api/refresh", headers=bearer(refresh_token))
    assert refreshed.status == 200
    assert (
        server.request("POST", "/api/chirps", chirp, bearer(refreshed.json["token"])).status == 201
    )
    revoked = server.request("POST", "/api/revoke", headers=bearer(refresh_token))
    assert (revoked.status, revoked.body) == (204, b"")
    assert server.request("POST", "/api/refresh", headers=bearer(refresh_token)).status == 401


def delete_a_chirp(
    server: Server, chirp: str, author: dict[str, Any], other: dict[str, Any]
) -> None:
    path = f"/api/chirps/{chirp}"
    assert server.request("GET", path).json["id"] == chirp
    assert server.request("DELETE", path).status == 401
    assert server.request("DELETE", path, headers=bearer(other["token"])).status == 403

    assert server.request("DELETE", path, headers=bearer(author["token"])).status == 204
    assert server.request("DELETE", path, headers=bearer(author["token"])).status == 404
    assert server.request("GET", path).status == 404


def become_chirpy_red(server: Server, user: dict[str, Any]) -> None:
    def told(event: dict[str, Any], headers: dict[str, str] = API_KEY) -> int:
        return server.request("POST", "/api/polka/webhooks", event, headers).status

    upgrade = an_event(user["id"])
    assert told(an_event(user["id"], "user.payment_failed")) == 204
    assert told(upgrade, {}) == 401
    assert told(upgrade, {"Authorization": "ApiKey wrong"}) == 401
    assert told(an_event(NOBODY)) == 404
    assert server.request("POST", "/api/login", SAUL).json["is_chirpy_red"] is False

    assert [told(upgrade), told(upgrade)] == [204, 204]
    assert server.request("POST", "/api/login", SAUL).json["is_chirpy_red"] is True
