"""Judge the secrets: long, made at random, and not known to everybody."""

import re
from base64 import b64decode
from typing import NamedTuple

from chirpy.check.polka import COURSE_KEY
from chirpy.server.doctor.origins import Examined

FEW = 8  # different characters; 32 random hexadecimal digits have fewer once in 10 million times
SHORT = 16  # characters
WORDS = re.compile("secret|password|change|example|chirpy|polka|1234567", re.IGNORECASE)
# Of the course, and of the specification of Standard Webhooks.
PUBLIC = {COURSE_KEY, b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}


class Weakness(NamedTuple):
    """Why a secret is not good, and whether that matters here: less in development."""

    text: str
    is_problem: bool


def find_weakness(name: str, examined: Examined) -> Weakness | None:
    """Return what is wrong with a valid secret, or None. Other settings have no weakness."""
    value = examined.values.get(name.lower())
    if name == "JWT_SECRET" and value:
        if value == examined.values.get("polka_key"):
            return Weakness("the same as POLKA_KEY", is_problem=True)
        return Weakness("easy to guess", is_problem=True) if is_guessable(value) else None
    if name == "POLKA_KEY" and value:
        if value in PUBLIC:
            return Weakness("the key of the course, which everybody knows", examined.is_production)
        if len(value) < SHORT or is_guessable(value):
            return Weakness("easy to guess", examined.is_production)
    if name == "POLKA_WEBHOOK_SECRETS" and PUBLIC & {*(value or ())}:
        text = "one of them is public: the example of Standard Webhooks"
        return Weakness(text, examined.is_production)
    return None


def is_guessable(text: str) -> bool:
    """Return whether a secret has words, or few different characters."""
    return len(set(text)) < FEW or bool(WORDS.search(text))
