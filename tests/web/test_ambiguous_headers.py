"""Ambiguous headers as other WSGI servers pass them on. tests/server has those of `make run`."""

import pytest
from flask.testing import FlaskClient

from tests.support.assertions import assert_error


@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_LENGTH": "2", "HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_TRANSFER_ENCODING": "identity"},
        {"HTTP_HOST": "chirpy,chirpy"},
    ],
    ids=str,
)
def test_ambiguous_headers_are_400(client: FlaskClient, environ: dict[str, str]) -> None:
    response = client.post("/api/polka/webhooks", environ_overrides=environ)

    assert assert_error(response, 400)["hint"].startswith("Send ")
