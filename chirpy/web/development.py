"""What only a development server may do."""

from chirpy.settings import current_settings
from chirpy.web.refused import Refused


class DevelopmentOnly(Refused):
    """The server does not run in development."""

    status = 403
    error = "Only a development server allows this"
    hint = "Set PLATFORM=dev and restart the server"


def require_development() -> None:
    """Raise DevelopmentOnly (403) unless PLATFORM is dev."""
    if current_settings().platform != "dev":
        raise DevelopmentOnly
