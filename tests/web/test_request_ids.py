"""The id of a request, in the header X-Request-Id and in the log."""

import json
import re
from io import StringIO

import pytest
from flask.testing import FlaskClient

UNAUTHORIZED = "/api/polka/webhooks"  # logs a line for each refused request


@pytest.mark.parametrize("request_id", ["a", "7f9c24e8-3b12.A_z", "x" * 64])
def test_valid_request_id_is_in_the_response_and_in_the_log(
    client: FlaskClient, log: StringIO, request_id: str
) -> None:
    response = client.post(UNAUTHORIZED, headers={"X-Request-Id": request_id})

    assert response.headers["X-Request-Id"] == request_id
    assert json.loads(log.getvalue())["request_id"] == request_id


@pytest.mark.parametrize("request_id", [None, "", "a b", "x" * 65, "<script>", "é", '","', "a\tb"])
def test_missing_or_invalid_request_id_is_replaced_by_a_new_one(
    client: FlaskClient, log: StringIO, request_id: str | None
) -> None:
    headers = {} if request_id is None else {"X-Request-Id": request_id}

    responses = [client.post(UNAUTHORIZED, headers=headers) for _ in range(2)]

    ids = [response.headers["X-Request-Id"] for response in responses]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert ids[0] != ids[1]
    assert [json.loads(line)["request_id"] for line in log.getvalue().splitlines()] == ids
