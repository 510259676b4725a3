"""Passwords, kept as argon2id hashes (RFC 9106)."""

from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

# OWASP's first choice: 19 MiB, two passes, one lane; about 20 ms.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
# Of a password that was thrown away; it stands here because making one takes as long at each start.
OF_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$NGwVrkW7HNVoQjc65Teprw$CtdZFdGhdPZdFT7FZR10PaZVIANdId+B07R7p82HE3M"
)

# One at a time in each process: every thread that hashes would keep its 19 MiB for good.
ALONE = ThreadPoolExecutor(1)


def hashed(password: str) -> str:
    """A hash with a salt of its own, in the PHC string format."""
    return ALONE.submit(HASHER.hash, password).result()


def matches(password: str, stored: str | None) -> bool:
    """Whether `password` is the one that was hashed to `stored`.

    `stored` None, for nobody, takes the same time and is never right: an answer must not tell by
    its delay which emails have an account.
    """
    try:
        right = ALONE.submit(HASHER.verify, stored or OF_NOBODY, password).result()
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made at another cost than HASHER's, and should be made anew."""
    return HASHER.check_needs_rehash(stored)
