"""What only a development server may do."""

from chirpy.errors import Refused
from chirpy.settings import current_settings


def require() -> None:
    """Raise Refused, 403, unless this is a development server."""
    if current_settings().platform != "dev":
        raise Refused(403, "This is only for development", hint="Start with PLATFORM=dev")
