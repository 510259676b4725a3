"""GET /api/memberships: which users are Chirpy Red."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.support.accounts import upgrade
from tests.support.assertions import assert_error
from tests.support.databases import Sql
from tests.support.factories import API_KEY, a_user, an_event

PATH = "/api/memberships"


def test_memberships_show_each_user_in_the_order_of_the_query(
    client: FlaskClient, sql: Sql
) -> None:
    plain, red, former, unknown = a_user(sql), a_user(sql), a_user(sql), uuid4()
    upgrade(client, str(red))
    upgrade(client, str(former))
    event = an_event(former, "user.downgraded")
    client.post("/api/polka/webhooks", json=event, headers=API_KEY)
    asked = [str(user_id) for user_id in (unknown, red, plain, former)]

    response = client.get(PATH, query_string={"user_id": asked})

    assert response.status_code == 200
    assert [row["user_id"] for row in response.get_json()] == asked
    assert [row["is_chirpy_red"] for row in response.get_json()] == [False, True, False, False]


@pytest.mark.parametrize(
    ("user_ids", "field"),
    [([], "user_id"), (["x"], "user_id.0"), ([str(uuid4())] * 101, "user_id")],
)
def test_memberships_of_no_too_many_or_invalid_users_are_400(
    client: FlaskClient, user_ids: list[str], field: str
) -> None:
    response = client.get(PATH, query_string={"user_id": user_ids})

    assert list(assert_error(response, 400)["fields"]) == [field]
