"""Commands that correct a setting where it was set."""

import shlex
from pathlib import Path

from chirpy.server.doctor.origins import Origin
from chirpy.server.doctor.systems import on_this_system, shown
from chirpy.settings import Settings
from chirpy.settings.database_url import DB_URL_EXAMPLE

NEW_SECRET = "$(openssl rand -hex 32)"  # noqa: S105 - the shell replaces it
VALUES = {  # that are valid; for the other settings, their defaults are
    "DB_URL": DB_URL_EXAMPLE,
    "PLATFORM": "dev",
    "JWT_SECRET": NEW_SECRET,
    "SECRET": NEW_SECRET,
    "POLKA_KEY": NEW_SECRET,
    "POLKA_WEBHOOK_SECRETS": "whsec_$(openssl rand -base64 32)",
    "LOG_REQUESTS": "1",
    "METRICS_PORT": "9464",
}


def correct(origin: Origin, dotenv: Path | None) -> str:
    """Return the command that gives a setting a valid value, in `dotenv` if that can be read."""
    name = origin.name
    default = Settings.__dataclass_fields__[name.lower()].default if name not in VALUES else ""
    line = f"{name}={VALUES.get(name, default)}"
    if origin.is_environment and not origin.text:
        return f"unset {name}"
    if origin.is_environment or dotenv is None:
        return f'export "{line}"'
    file = shlex.quote(shown(dotenv))
    if origin.line is None:
        return f"printf '\\n%s\\n' \"{line}\" >> {file}"
    if origin.is_long:
        return edit(dotenv, origin.line)
    # No base64 and no URL without a password has this separator.
    change = f'"{origin.line}s|.*|{line}|" {file}'
    return on_this_system(f"sed -i {change}", f"sed -i '' {change}")


def edit(dotenv: Path, line: int) -> str:
    """Return the command that opens the file at a line."""
    return f"nano +{line} {shlex.quote(shown(dotenv))}"
