"""Failed logins and sign-ups are limited, in all processes together; good logins never are."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from hashlib import sha256

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL
from werkzeug.test import TestResponse

from chirpy.accounts import attempts
from chirpy.settings import Settings
from tests.support.accounts import log_in, sign_up
from tests.support.assertions import assert_error
from tests.support.databases import Sql, an_app
from tests.support.deliveries import PATH
from tests.support.factories import API_KEY, an_email
from tests.support.server import Server

WALT = "walt@example.com"
ACCOUNT, ADDRESS = "failed_logins_per_account", "failed_logins_per_address"
SIGN_UPS = "sign_ups_per_address"
LIMITS = dict.fromkeys((ACCOUNT, ADDRESS, SIGN_UPS), 3)
SHARE = 300  # seconds: a third of 15 minutes

ClientOf = Callable[..., FlaskClient]


@pytest.fixture
def client_of(database_url: URL, emptied_database: None) -> Iterator[ClientOf]:
    """Return a function that makes a client of a new application with some settings."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(an_app(database_url, **settings)).test_client()


@contextmanager
def address(client: FlaskClient, text: str, forwarded_for: str = "") -> Iterator[None]:
    """Let the client send from this address."""
    client.environ_base["REMOTE_ADDR"] = text
    client.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded_for
    yield


def fail(client: FlaskClient, email: str = WALT) -> TestResponse:
    return log_in(client, email, "wrong")


def statuses(times: int, request: Callable[[], TestResponse]) -> list[int]:
    return [request().status_code for _ in range(times)]


@pytest.mark.parametrize("known", [True, False])
def test_failed_logins_of_an_account_are_limited_and_good_ones_are_not(
    client_of: ClientOf, sql: Sql, known: bool
) -> None:
    client = client_of(**LIMITS | {ADDRESS: 0})
    sign_up(client, WALT if known else an_email())

    assert statuses(4, lambda: fail(client)) == [401, 401, 401, 429]
    limited = fail(client, WALT.upper())

    assert_error(limited, 429)
    assert limited.headers["Retry-After"] == str(SHARE)
    assert statuses(4, lambda: log_in(client, WALT)) == [200 if known else 429] * 4
    assert fail(client, an_email()).status_code == 401
    sql(f"UPDATE attempt_counters SET empty_at = empty_at - interval '{SHARE} s'")
    assert statuses(2, lambda: fail(client)) == [401, 429]


ADDRESSES = [  # three of one client, and one of another
    (["192.0.2.1"] * 3, "192.0.2.2"),
    (["::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"], "::ffff:192.0.2.2"),
    (["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::"], "2001:db8:0:1::1"),
    (["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1"], "192.0.2.2:1"),
    (["[2001:db8::1]:1", "[2001:db8::1]", "2001:db8::1"], "[2001:db8:0:1::1]:1"),
    (["", "", ""], "unix:"),
]


@pytest.mark.parametrize(("addresses", "other"), ADDRESSES, ids=str)
@pytest.mark.parametrize(("request_of", "status"), [(fail, 401), (sign_up, 201)])
def test_failed_logins_and_sign_ups_of_an_address_are_limited(
    client_of: ClientOf,
    sql: Sql,
    request_of: Callable[[FlaskClient, str], TestResponse],
    status: int,
    addresses: list[str],
    other: str,
) -> None:
    client = client_of(**LIMITS)
    for each in (*addresses, other):
        with address(client, each):
            assert request_of(client, an_email()).status_code == status

    with address(client, addresses[0]):
        limited = request_of(client, an_email())
    assert_error(limited, 429)
    assert limited.headers["Retry-After"] == str(SHARE)
    assert sql("SELECT count(*) FROM users") == [(4 if status == 201 else 0,)]


FORWARDED = [  # by proxies that each add the address of their peer
    (0, "{spoofed}", "10.0.0.1", [401, 401, 401, 429]),
    (1, "{spoofed}, 192.0.2.1", "10.0.0.1", [401, 401, 401, 429]),
    (2, "{spoofed}, 192.0.2.1, 10.0.0.2", "10.0.0.1", [401, 401, 401, 429]),
    (1, "192.0.2.{number}", "10.0.0.1", [401, 401, 401, 401]),
    (2, "192.0.2.{number}, 10.0.0.2", "10.0.0.1", [401, 401, 401, 401]),
    (2, "{spoofed}", "10.0.0.1", [401, 401, 401, 429]),  # not through both proxies
]


@pytest.mark.parametrize(("proxies", "header", "peer", "expected"), FORWARDED)
def test_address_is_the_one_that_the_trusted_proxies_name(
    client_of: ClientOf, proxies: int, header: str, peer: str, expected: list[int]
) -> None:
    client = client_of(trusted_proxies=proxies, **LIMITS)
    found = []
    for number in range(4):
        with address(client, peer, header.format(spoofed=f"203.0.113.{number}", number=number)):
            found.append(fail(client, an_email()).status_code)

    assert found == expected


def test_server_counts_the_address_of_the_connection(server: Server, sql: Sql) -> None:
    body = {"email": WALT, "password": "x"}
    headers = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1"}

    assert server.request("POST", "/api/login", body, headers).status == 401
    keys = {sha256(f"failed logins {of}".encode()) for of in (f"of {WALT}", "from 127.0.0.1")}
    stored = sql("SELECT key FROM attempt_counters")
    assert {bytes(key) for [key] in stored} == {key.digest() for key in keys}


def test_all_spellings_of_an_email_count_for_its_account(client_of: ClientOf) -> None:
    client = client_of(**LIMITS | {ADDRESS: 0})
    sign_up(client, "will@example.com")
    spellings = ["WILL@example.com", "w\u0130ll@example.com", "W\u0130LL@example.com"]

    assert [log_in(client, email).status_code for email in spellings] == [200] * 3
    assert [fail(client, email).status_code for email in spellings] == [401] * 3
    assert fail(client, "will@example.com").status_code == 429


def test_failed_login_that_cannot_be_counted_is_503(client_of: ClientOf, sql: Sql) -> None:
    client = client_of()
    sign_up(client, WALT)
    sql("ALTER TABLE attempt_counters RENAME TO hidden")
    try:
        assert_error(fail(client), 503)
        assert log_in(client, WALT).status_code == 200
    finally:
        sql("ALTER TABLE hidden RENAME TO attempt_counters")


def test_limits_hold_for_concurrent_requests_to_several_processes(client_of: ClientOf) -> None:
    apps = [client_of(**LIMITS).application for _ in range(2)] * 8

    with ThreadPoolExecutor(16) as pool:
        responses = pool.map(lambda app: fail(app.test_client()), apps)

    assert sorted(response.status_code for response in responses) == [401] * 3 + [429] * 13


def test_no_limit_and_no_counter_with_0(client_of: ClientOf, sql: Sql) -> None:
    client = client_of(**dict.fromkeys(LIMITS, 0))

    assert statuses(5, lambda: fail(client)) == [401] * 5
    assert statuses(5, lambda: sign_up(client, an_email())) == [201] * 5
    assert sql("TABLE attempt_counters") == []


def test_webhooks_with_good_credentials_are_not_limited(client_of: ClientOf) -> None:
    client = client_of(**dict.fromkeys(LIMITS, 1))
    assert statuses(2, lambda: fail(client)) == [401, 429]

    event = {"event": "invoice.paid"}
    assert statuses(5, lambda: client.post(PATH, json=event, headers=API_KEY)) == [204] * 5


def test_school_behind_one_address_and_storms_meet_no_default_limit(
    client_of: ClientOf, settings: Settings
) -> None:
    with client_of().application.app_context():
        for number in range(60):
            for _ in range(5):
                attempts.count_failed_login_autocommit(f"{number}@x", "192.0.2.1", settings)
        for _ in range(60 + 2 * 100):  # students, and users of two storms
            attempts.count_sign_up_autocommit("192.0.2.1", settings)


def test_each_attempt_deletes_some_old_counters(client_of: ClientOf, sql: Sql) -> None:
    sql("""INSERT INTO attempt_counters SELECT sha256(i::text::bytea), now() - interval '1 s'
        FROM generate_series(1, 15) i""")
    client = client_of(**LIMITS)

    fail(client)
    assert sql("SELECT count(*) FROM attempt_counters") == [(15 - 10 + 2,)]
    fail(client)
    assert sql("SELECT count(*) FROM attempt_counters") == [(2,)]
