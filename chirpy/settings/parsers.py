"""Read one setting each: return its value, or raise ValueError with what is wrong with it."""

import re
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from typing import Any

from chirpy.settings.database_url import parse_database_url

JWT_SECRET_BYTES = 32  # RFC 7518, 3.2: an HS256 key is at least as long as its hash
SIGNING_KEY_BYTES = range(24, 65)  # Standard Webhooks 1.0.0: 24 to 64 bytes
HOW_TO_MAKE_ONE = "try `python3 -c 'import secrets; print(secrets.token_hex(32))'`"


def parse_jwt_secret(text: str) -> str:
    """Return the secret if it is long enough to sign with."""
    if len(text.encode()) < JWT_SECRET_BYTES:
        raise ValueError(f"is shorter than {JWT_SECRET_BYTES} bytes: {HOW_TO_MAKE_ONE}")
    return text


def parse_signing_keys(text: str) -> tuple[bytes, ...]:
    """Return the keys in `whsec_` secrets with commas or spaces between them: at least one."""
    return tuple(map(parse_signing_key, re.findall(r"[^,\s]+", text) or [text]))


def parse_signing_key(secret: str) -> bytes:
    """Return the key in a `whsec_` secret."""
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or len(key) not in SIGNING_KEY_BYTES:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes")
    return key


def parse_matching(text: str, pattern: str, problem: str) -> str:
    """Return the text if it matches a regular expression."""
    if not re.fullmatch(pattern, text):
        raise ValueError(problem)
    return text


def parse_whole_number(text: str, minimum: int, maximum: int) -> int:
    """Return the number in decimal digits. `int()` also accepts 1_000, +1 and Arabic digits."""
    if not re.fullmatch("[0-9]{1,18}", text) or not minimum <= int(text) <= maximum:
        raise ValueError(f"must be a whole number from {minimum} to {maximum}")
    return int(text)


parse_port = partial(parse_whole_number, minimum=1, maximum=65535)
parse_limit = partial(parse_whole_number, minimum=0, maximum=1_000_000)  # 0: no limit

# By name in the environment. Each raises ValueError with what is wrong, without the value.
PARSERS: dict[str, Callable[[str], Any]] = {
    "DB_URL": parse_database_url,
    "PLATFORM": partial(parse_matching, pattern="dev|prod", problem="must be dev or prod"),
    "JWT_SECRET": parse_jwt_secret,
    "POLKA_KEY": partial(parse_matching, pattern="[!-~]+", problem="must be ASCII without spaces"),
    "POLKA_WEBHOOK_SECRETS": parse_signing_keys,
    "HOST": str,
    "PORT": parse_port,
    "WORKERS": partial(parse_whole_number, minimum=1, maximum=256),
    "THREADS": partial(parse_whole_number, minimum=1, maximum=256),
    "DB_CONNECTIONS": partial(parse_whole_number, minimum=2, maximum=10_000),
    "TRUSTED_PROXIES": partial(parse_whole_number, minimum=0, maximum=16),
    "FAILED_LOGINS_PER_ACCOUNT": parse_limit,
    "FAILED_LOGINS_PER_ADDRESS": parse_limit,
    "SIGN_UPS_PER_ADDRESS": parse_limit,
    "METRICS_HOST": str,
    "METRICS_PORT": parse_port,
    "LOG_REQUESTS": partial(parse_matching, pattern="[01]", problem="must be 0 or 1"),
}
