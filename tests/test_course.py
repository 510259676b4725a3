"""The steps of the course, first lesson to last, over HTTP as its checker does them."""

import os
import re
import subprocess
from typing import Any

from tests.support.accounts import USER_KEYS
from tests.support.assertions import TIMESTAMP
from tests.support.databases import POLKA_KEY
from tests.support.factories import API_KEY, an_event, bearer
from tests.support.server import PROJECT, Server
from tests.support.shells import every_shell

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
WALT = {"email": "walt@breakingbad.com", "password": "123456"}
SAUL = {"email": "saul@bettercall.com", "password": "234567"}
# Title, status, method and path in requests.http; and title, method, path and status in a response
IN_EDITOR = r"^### (.*?)(?:: needs .*)?\n(?:# @.*\n)?# Expect (\d+).*\n(\w+) \{\{host\}\}(\S+)"
WITH_CURL = r"^### (.*)\n(\w+) http://[^/]+(\S+)\n(?:.+\n)*\nHTTP/1.1 (\d+)"


def test_course_works_over_http(server: Server) -> None:
    assert server.request("POST", "/admin/reset").status == 200
    visit_website(server)
    walt = sign_up_and_log_in(server, WALT)
    saul = sign_up_and_log_in(server, SAUL)
    change_email_and_password(server, walt)
    chirp_id = post_and_list_chirps(server, walt, saul)
    refresh_and_revoke_tokens(server, saul)
    delete_chirp(server, chirp_id, author=walt, other=saul)
    upgrade_to_chirpy_red(server, saul)
    assert server.request("POST", "/admin/reset").status == 200
    assert server.request("GET", "/api/chirps").json == []
    assert server.request("POST", "/api/login", SAUL).status == 401


@every_shell
def test_requests_script_sends_what_requests_http_does_with_the_expected_status(
    server: Server, shell: str
) -> None:
    command = [shell, str(PROJECT / "requests.sh"), server.url]
    key = os.environ | {"POLKA_KEY": POLKA_KEY}
    printed = subprocess.run(
        command, env=key, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
    ).stdout

    varying = re.compile(r"\{\{.*?\}\}|(?<=[/=])[0-9a-f-]{36}")
    requests = re.findall(IN_EDITOR, (PROJECT / "requests.http").read_text(), re.MULTILINE)
    sent = re.findall(WITH_CURL, printed, re.MULTILINE)
    assert [
        (title, status, method, varying.sub("…", path)) for title, method, path, status in sent
    ] == [
        (title, status, method, varying.sub("…", path)) for title, status, method, path in requests
    ]
    assert printed.endswith(f"\n{len(requests)} requests, 0 unexpected\n")


def visit_website(server: Server) -> None:
    assert server.request("GET", "/api/healthz").body == b"OK"
    assert "Welcome to Chirpy" in server.request("GET", "/app/").text
    assert server.request("GET", "/app/assets/logo.png").status == 200
    assert "Chirpy has been visited 2 times!" in server.request("GET", "/admin/metrics").text


def sign_up_and_log_in(server: Server, credentials: dict[str, str]) -> dict[str, Any]:
    signed_up = server.request("POST", "/api/users", credentials)
    assert signed_up.status == 201
    assert list(signed_up.json) == USER_KEYS
    assert TIMESTAMP.fullmatch(signed_up.json["created_at"])
    wrong = server.request("POST", "/api/login", credentials | {"password": "wrong"})
    assert wrong.status == 401

    logged_in = server.request("POST", "/api/login", credentials)
    assert logged_in.status == 200
    user: dict[str, Any] = logged_in.json
    assert signed_up.json.items() <= user.items()
    assert user["email"] == credentials["email"]
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


def post_and_list_chirps(server: Server, walt: dict[str, Any], saul: dict[str, Any]) -> str:
    """Return the id of the first chirp."""
    posts = [
        (walt, "I'm the one who knocks!", "I'm the one who knocks!"),
        (walt, "What a Kerfuffle this is, Sharbert!", "What a **** this is, Sharbert!"),
        (saul, "You have rights fornax", "You have rights ****"),
    ]
    chirps = [post_chirp(server, author, body) for author, body, _ in posts]
    assert [chirp["body"] for chirp in chirps] == [cleaned for _, _, cleaned in posts]
    too_long = server.request("POST", "/api/chirps", {"body": "a" * 141}, bearer(saul["token"]))
    assert (too_long.status, too_long.json["error"]) == (400, "Chirp is too long")

    assert server.request("GET", "/api/chirps").json == chirps
    assert server.request("GET", "/api/chirps?sort=asc").json == chirps
    assert server.request("GET", "/api/chirps?sort=desc").json == chirps[::-1]
    assert server.request("GET", f"/api/chirps?author_id={saul['id']}").json == chirps[2:]
    of_walt = server.request("GET", f"/api/chirps?sort=desc&author_id={walt['id']}")
    assert of_walt.json == chirps[1::-1]
    return str(chirps[0]["id"])


def post_chirp(server: Server, author: dict[str, Any], body: str) -> dict[str, Any]:
    response = server.request("POST", "/api/chirps", {"body": body}, bearer(author["token"]))
    chirp: dict[str, Any] = response.json
    assert (response.status, chirp["user_id"]) == (201, author["id"])
    return chirp


def refresh_and_revoke_tokens(server: Server, user: dict[str, Any]) -> None:
    access, refresh = bearer(user["token"]), bearer(user["refresh_token"])
    assert server.request("POST", "/api/chirps", {"body": "Hi"}, refresh).status == 401
    assert server.request("POST", "/api/refresh", headers=access).status == 401

    refreshed = server.request("POST", "/api/refresh", headers=refresh)
    assert refreshed.status == 200
    post_chirp(server, user | refreshed.json, "Hi")
    revoked = server.request("POST", "/api/revoke", headers=refresh)
    assert (revoked.status, revoked.body) == (204, b"")
    assert server.request("POST", "/api/refresh", headers=refresh).status == 401


def delete_chirp(
    server: Server, chirp_id: str, *, author: dict[str, Any], other: dict[str, Any]
) -> None:
    path = f"/api/chirps/{chirp_id}"
    assert server.request("GET", path).json["id"] == chirp_id
    assert server.request("DELETE", path).status == 401
    assert server.request("DELETE", path, headers=bearer(other["token"])).status == 403

    assert server.request("DELETE", path, headers=bearer(author["token"])).status == 204
    assert server.request("DELETE", path, headers=bearer(author["token"])).status == 404
    assert server.request("GET", path).status == 404


def upgrade_to_chirpy_red(server: Server, user: dict[str, Any]) -> None:
    def deliver(event: dict[str, Any], headers: dict[str, str] = API_KEY) -> int:
        return server.request("POST", "/api/polka/webhooks", event, headers).status

    upgrade = an_event(user["id"])
    assert deliver(an_event(user["id"], "user.payment_failed")) == 204
    assert deliver(upgrade, {}) == 401
    assert deliver(upgrade, {"Authorization": "ApiKey wrong"}) == 401
    assert deliver(an_event(UNKNOWN_ID)) == 404
    assert server.request("POST", "/api/login", SAUL).json["is_chirpy_red"] is False

    assert [deliver(upgrade), deliver(upgrade)] == [204, 204]
    assert server.request("POST", "/api/login", SAUL).json["is_chirpy_red"] is True
