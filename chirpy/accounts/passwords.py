"""Password hashes: argon2id (RFC 9106) in the PHC string format."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import Type

# OWASP's minimum: 19 MiB, two passes, one lane; about 20 ms.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
# Of a random password, for emails without an account or a password: computing one would delay each
# start.
DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$NGwVrkW7HNVoQjc65Teprw$CtdZFdGhdPZdFT7FZR10PaZVIANdId+B07R7p82HE3M"
)
# One hash at a time in each process, first come, first served: every thread that computes one would
# keep its 19 MiB. The server lets few threads wait for it.
HASHING_THREAD = ThreadPoolExecutor(1)


def hash_password(password: str) -> str:
    """Return a hash with a new salt."""
    return HASHING_THREAD.submit(HASHER.hash, password).result()


def matches(password: str, stored: str | None) -> bool:
    """Return whether `stored` is a hash of `password`.

    Pass None for an email without an account. The time of a response must not reveal which emails
    have an account, so one hash is computed, after one wait, also for None and for text that is
    no hash.
    """
    return HASHING_THREAD.submit(compare, password, stored or "").result()


def compare(password: str, stored: str) -> bool:
    """Compute one hash, and return whether `stored` is it. Called in the hashing thread."""
    try:
        return HASHER.verify(stored, password)
    except VerifyMismatchError:
        return False
    except (VerificationError, InvalidHashError):  # not a hash
        with suppress(VerifyMismatchError):
            HASHER.verify(DUMMY_HASH, password)
        return False


def is_outdated(stored: str) -> bool:
    """Return whether a hash has other parameters than HASHER and should be computed again."""
    return HASHER.check_needs_rehash(stored)
