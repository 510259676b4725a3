"""Any request gets a status that docs/api.md lists for its route, and each error its one shape."""

from contextlib import suppress
from http.client import HTTPResponse
from time import monotonic
from urllib.parse import quote, unquote_to_bytes

from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from werkzeug import Response
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from chirpy.accounts import access_tokens
from chirpy.settings import Settings
from tests.fuzz.requests import ACCESS_TOKEN, MEMBERS, STATUSES, FuzzRequest, requests
from tests.support.assertions import assert_error
from tests.support.databases import Sql
from tests.support.deliveries import KNOWN_USER
from tests.support.server import SECRETS, Server

OF_FILES = {206, 304, 416}  # answers to conditions and ranges
RAW = "/%!$&'()*+,;=:@~[]{}|\\^`\"<>"  # characters of a path that are sent as they are
MAX_SECONDS = 6


def insert_chirp(sql: Sql) -> None:
    """Insert KNOWN_USER with a chirp of the same id, which an earlier request can have deleted."""
    unless_there = "ON CONFLICT DO NOTHING"
    user, email = str(KNOWN_USER), MEMBERS["email"]
    sql(f"INSERT INTO users (id, email) VALUES (%s, %s) {unless_there}", user, email)
    sql(f"INSERT INTO chirps (id, user_id, body) VALUES (%s, %s, 'Hi') {unless_there}", user, user)


def expected_statuses(app: Flask, request: FuzzRequest) -> set[int]:
    """Return the statuses that the route of a request can answer, if nothing is broken."""
    path = unquote_to_bytes(request.path.encode("latin-1")).decode(errors="replace")
    method = request.method.upper()  # as Werkzeug reads it
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method, return_rule=True)
    except NotFound:
        return {404}
    except MethodNotAllowed:
        return {405}
    except RequestRedirect:
        return {308}
    if method == "OPTIONS":
        return {200}
    path = rule.rule.replace("path:", "").translate({ord("<"): "{", ord(">"): "}"})
    more = OF_FILES if path.startswith("/app/") else {413} if method in {"POST", "PUT"} else set()
    return STATUSES["GET" if method == "HEAD" else method, path] | more


def assert_documented(app: Flask, request: FuzzRequest, response: Response) -> None:
    status = response.status_code
    assert status in expected_statuses(app, request), response.get_data()
    if status >= 400 and request.method != "HEAD":
        assert_error(response, status)


def with_token(request: FuzzRequest, secret: str) -> dict[str, str]:
    """Return the headers of the request, with an access token in its place."""
    token = access_tokens.issue(KNOWN_USER, secret)
    return {name: text.replace(ACCESS_TOKEN, token) for name, text in request.headers.items()}


def send_to_app(client: FlaskClient, request: FuzzRequest, headers: dict[str, str]) -> Response:
    """Send the request without a server."""
    path = unquote_to_bytes(request.path.encode("latin-1")).decode("latin-1")
    target = {"PATH_INFO": path, "QUERY_STRING": request.query, "REQUEST_METHOD": request.method}
    return client.open(headers=headers, data=request.body, environ_overrides=target, buffered=True)


def send_to_server(
    server: Server, request: FuzzRequest, headers: dict[str, str]
) -> Response | None:
    """Send the request on a new connection. Return None if the server refuses it as no HTTP."""
    ours = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(request.body))}
    target = f"{quote(request.path, RAW, 'latin-1')}?{quote(request.query, RAW, 'latin-1')}"
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (headers | ours).items()]
    content = "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
    with server.connect() as connection:
        with suppress(ConnectionError):  # the server may answer and close before the end
            connection.sendall(content)
        with HTTPResponse(connection, method=request.method) as answer:
            answer.begin()
            body, status = answer.read(), answer.status
    is_no_http = status == 400 and not answer.headers["Content-Type"]
    return None if is_no_http else Response(body, status, answer.headers.items())


@given(request_=requests())
def test_any_request_gets_a_documented_status_and_an_error_its_one_shape(
    app: Flask, client: FlaskClient, sql: Sql, settings: Settings, request_: FuzzRequest
) -> None:
    insert_chirp(sql)
    begin = monotonic()

    response = send_to_app(client, request_, with_token(request_, settings.jwt_secret))

    assert monotonic() - begin < MAX_SECONDS
    assert_documented(app, request_, response)


@given(request_=requests())
def test_any_request_to_a_server_gets_a_documented_status_and_an_error_its_one_shape(
    session_app: Flask, server: Server, sql: Sql, request_: FuzzRequest
) -> None:
    insert_chirp(sql)
    begin = monotonic()

    response = send_to_server(server, request_, with_token(request_, SECRETS["JWT_SECRET"]))

    assert monotonic() - begin < MAX_SECONDS
    if response is not None:
        assert_documented(session_app, request_, response)
