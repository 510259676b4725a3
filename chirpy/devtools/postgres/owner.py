"""The user who runs the server: whoever we are, except root, whom Postgres refuses."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from chirpy.devtools.postgres.failures import PostgresFailed

# Nothing of ours leaks into the server: no PG* variable that would bend it, no secret key.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

# Both exist before we come; creating users is not for an application to do.
UNPRIVILEGED = ("postgres", "nobody")

LONGEST_COMMAND = 70.0  # seconds; the longest, `pg_ctl`, gives up by itself after 60


def we_are_root() -> bool:
    """Whether this process may become any user, and has to for Postgres."""
    return os.geteuid() == 0


@dataclass(frozen=True)
class Owner:
    """A user of this machine, and what can be run in their name."""

    name: str
    uid: int
    gid: int

    @classmethod
    def by_id(cls, uid: int) -> Self:
        """Return the user numbered `uid`; raises PostgresFailed if the machine knows none."""
        try:
            user = pwd.getpwuid(uid)
        except KeyError:
            raise PostgresFailed(
                f"User {uid} has no name on this machine, which Postgres insists on. "
                "Run as a user listed in /etc/passwd, or set DB_URL in .env."
            ) from None
        return cls(user.pw_name, user.pw_uid, user.pw_gid)

    @classmethod
    def of_new_data(cls) -> Self:
        """Return who owns a cluster made now: us, or an unprivileged user if we are root."""
        if not we_are_root():
            return cls.by_id(os.geteuid())
        known = {user.pw_name: user.pw_uid for user in pwd.getpwall()}
        for name in UNPRIVILEGED:
            if known.get(name):
                return cls.by_id(known[name])
        raise PostgresFailed(
            "Postgres refuses to run as root, and there is neither a user `postgres` nor "
            "`nobody` to run it. Run as an ordinary user, or set DB_URL in .env."
        )

    def run(
        self,
        command: Sequence[str | Path],
        *,
        folder: Path = Path("/"),
        statements: str = "",
        keep_open: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` as this user, in `folder`, with `statements` as its input."""
        other = os.geteuid() != self.uid
        try:
            return subprocess.run(
                command,
                cwd=folder,
                env=ENVIRONMENT,
                input=statements,
                pass_fds=keep_open,
                user=self.uid if other else None,
                group=self.gid if other else None,
                extra_groups=[] if other else None,
                start_new_session=True,  # Ctrl-C in the terminal is for the application alone
                timeout=LONGEST_COMMAND,
                capture_output=True,
                check=False,
                text=True,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(command, 1, "", str(error))

    def can_enter(self, folder: Path) -> bool:
        """Whether this user gets into `folder`: tried, as modes alone do not tell."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0
