"""Limit failed logins and sign-ups, for all server processes together.

A counter is a bucket. Each attempt adds a share of WINDOW to it, it empties as time passes, and an
attempt that would overflow it is refused and adds nothing to it. So the row of an account or an
address is one time: when its counter is empty again (the generic cell rate algorithm).

The table is UNLOGGED: counting waits for no disk, and a crash of Postgres deletes all counters.
"""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil

from sqlalchemy import ARRAY, Interval, Text, bindparam, delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from chirpy.accounts.errors import TooManyAttempts, TooManyFailedLogins, TooManySignUps
from chirpy.accounts.models import AttemptCounter
from chirpy.database.autocommit import run_autocommit
from chirpy.database.base import table_of
from chirpy.database.retries import retry_conflicts
from chirpy.settings import Settings

WINDOW = timedelta(minutes=15)
PRUNED = "10"  # old counters that each attempt deletes; it adds up to two, so the table stays small
COUNTERS = table_of(AttemptCounter)

NAMES = bindparam("names", type_=ARRAY(Text))
SHARES = bindparam("shares", type_=ARRAY(Interval))
GIVEN = func.unnest(NAMES, SHARES).table_valued("name", "share").render_derived("given")
# A hash, so that the table has no emails and no addresses. Postgres computes it, because an account
# has all emails with the same lower() there: İ is an i, and not in Python.
LOWER_CASE = func.convert_to(func.lower(GIVEN.c.name), literal_column("'UTF8'"))
ATTEMPTS = select(func.sha256(LOWER_CASE).label("key"), GIVEN.c.share).cte("attempts")
EMPTY = select(COUNTERS.c.key).where(
    COUNTERS.c.empty_at < func.now(), COUNTERS.c.key.not_in(select(ATTEMPTS.c.key))
)
PRUNE = delete(COUNTERS).where(
    COUNTERS.c.key.in_(EMPTY.limit(literal_column(PRUNED)).with_for_update(skip_locked=True))
)
ADD = insert(COUNTERS).from_select(
    ["key", "empty_at"], select(ATTEMPTS.c.key, func.now() + ATTEMPTS.c.share)
)
SHARE = ADD.excluded.empty_at - func.now()
# Returns the keys of the counters that have room. Of concurrent attempts, each waits for the other.
COUNT = (
    ADD.on_conflict_do_update(
        index_elements=["key"],
        set_={"empty_at": func.greatest(COUNTERS.c.empty_at, func.now()) + SHARE},
        where=COUNTERS.c.empty_at + SHARE <= func.now() + bindparam("window"),
    )
    .returning(COUNTERS.c.key)
    .add_cte(PRUNE.cte())
)


def count_failed_login_autocommit(email: str, network: str, settings: Settings) -> None:
    """Count a failed login for the account and for the address. Raise TooManyFailedLogins (429).

    An email without an account is counted too. The account comes first in every statement, so that
    two of them do not wait for each other.
    """
    limits = {
        f"failed logins of {email}": settings.failed_logins_per_account,
        f"failed logins from {network}": settings.failed_logins_per_address,
    }
    count_autocommit(limits, TooManyFailedLogins)


def count_sign_up_autocommit(network: str, settings: Settings) -> None:
    """Count a sign-up for the address. Raise TooManySignUps (429)."""
    limits = {f"sign-ups from {network}": settings.sign_ups_per_address}
    count_autocommit(limits, TooManySignUps)


@retry_conflicts
def count_autocommit(limits: Mapping[str, int], refused: type[TooManyAttempts]) -> None:
    """Count one attempt in each counter, and commit. Raise `refused` unless all have room.

    The limits are numbers of attempts in WINDOW; 0 switches a limit off.
    """
    shares = {name: WINDOW // limit for name, limit in limits.items() if limit}
    values = {"names": list(shares), "shares": list(shares.values()), "window": WINDOW}
    if shares and len(run_autocommit(COUNT, values)) < len(shares):
        raise refused(ceil(max(shares.values()).total_seconds()))
