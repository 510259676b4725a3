"""Reserve the port before the server starts."""

import socket
from pathlib import Path

import pytest

from chirpy.server.port import PortUnavailable, reserve_port

OPEN_FILES = Path("/dev/fd")  # of this process


def test_reserve_port_that_is_taken_leaves_no_file_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        before = set(OPEN_FILES.iterdir())
        with pytest.raises(PortUnavailable) as error:
            reserve_port("127.0.0.1", other.getsockname()[1])

        assert set(OPEN_FILES.iterdir()) == before
        assert "\nNext: " in str(error.value)
