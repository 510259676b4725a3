"""What atheris calls with any bytes: only documented exceptions may leave a parser."""

import json
import re
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from time import time
from typing import Any, NoReturn

from marshmallow import ValidationError

from chirpy.server.dotenv import read_dotenv
from chirpy.settings import SettingsError, parse_settings
from chirpy.web.strict_json import InvalidJSON, parse
from chirpy.webhooks import meaning
from chirpy.webhooks.schemas import EVENT_ID_HEADER, read_event
from tests.support.credentials import SECRET, signed
from tests.support.deliveries import VALID_BODY
from tests.support.server import PROJECT, SECRETS
from tests.web.test_strict_json import INVALID
from tests.webhooks.test_signature import (
    ACCEPTED,
    REFUSED,
    Delivery,
    verdict_of_chirpy,
    verdict_of_library,
)

# The library accepts other forms too.
WELL_FORMED = re.compile(r"[!-\-/-~]{1,255} [1-9]\d{0,10}( v1a?,[A-Za-z0-9+/]{43}=){1,8}", re.ASCII)
DOTENV = Path(mkdtemp()) / ".env"


def fuzz_json(data: bytes) -> None:
    """Parse a body and read the event in it; the standard library must agree."""
    expected, value = value_of_library(data), None
    with suppress(InvalidJSON):
        value = [parse(data)]
    assert (value is None) == (expected is None), "one parser accepts what the other refuses"
    if value is not None:
        assert json.loads(json.dumps(value), parse_int=float) == expected
        with suppress(ValidationError):
            event = read_event(value[0], None)
            assert meaning.make_key(event).isascii()
            assert len(meaning.make_fingerprint(event)) == len(meaning.make_old_fingerprint(data))


def value_of_library(data: bytes) -> Any:
    """Return a list with the value, its numbers as floats, or None if Chirpy must refuse it."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(pairs) if len(dict(pairs)) == len(pairs) else refuse("a key occurs twice")

    def number(digits: str) -> float:
        is_short = len(digits) <= 100 and abs(float(digits)) != float("inf")
        return float(digits) if is_short else refuse("too long or too large")

    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=unique,
            parse_int=number,
            parse_float=number,
            parse_constant=refuse,
        )
    except (ValueError, RecursionError):
        return None
    return [value] if depth(value) <= 64 else None


def refuse(problem: str) -> NoReturn:
    raise ValueError(problem)


def depth(value: Any) -> int:
    """Return how deeply brackets are nested."""
    if isinstance(value, dict):
        value = [*value.values()]
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def fuzz_signature(data: bytes) -> None:
    """Verify three headers, one on each line, and a body; standardwebhooks must agree.

    NOW in the headers is the time, and SIGNATURE is the right one.
    """
    lines = data.decode("latin-1").replace("\r", " ").split("\n", 3)
    event_id, timestamp, signatures, body = (*lines, *[""] * 4)[:4]
    timestamp, content = timestamp.replace("NOW", str(int(time()))), body.encode("latin-1")
    if "SIGNATURE" in signatures and EVENT_ID_HEADER.fullmatch(event_id):
        made = signed(content, event_id=event_id, timestamp=timestamp)["webhook-signature"]
        signatures = signatures.replace("SIGNATURE", made)
    delivery = Delivery(event_id, timestamp, signatures, content)
    ours, theirs = verdict_of_chirpy(delivery), verdict_of_library(delivery)
    assert ours == REFUSED or theirs != REFUSED, "accepted, but the library refuses it"
    if WELL_FORMED.fullmatch(f"{event_id} {timestamp} {signatures}") and theirs == ACCEPTED:
        assert ours == ACCEPTED, "refused, but the library accepts it"


def fuzz_settings(data: bytes) -> None:
    """Read a file `.env`. No message repeats a value."""
    DOTENV.write_bytes(data)
    message = ""
    try:
        parse_settings(SECRETS | read_dotenv(DOTENV))
    except SettingsError as error:
        message = str(error)
    assert "s3cr3t" not in message


# What each begins with.
SEEDS: dict[str, list[bytes]] = {
    "fuzz_json": [VALID_BODY, *INVALID.values()],
    "fuzz_signature": [
        b"msg_1\nNOW\nSIGNATURE\n{}",
        b"msg_1\nNOW\nv1,AAAA v1a,AAAA SIGNATURE v2,=\n\xff\n",
        b"msg_1\n1614265330\nv1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n{}",
    ],
    "fuzz_settings": [
        (PROJECT / ".env.example").read_bytes(),
        b"DB_URL='postgres://u:s3cr3t@h1:1,h2:2/d?sslmode=a'\nexport PORT=\"1\"\r\nHOST=::1 # a\n",
        f"POLKA_WEBHOOK_SECRETS={SECRET}, whsec_s3cr3t\nJWT_SECRET=s3cr3t\nWORKERS=s3cr3t".encode(),
    ],
}
