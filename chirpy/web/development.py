"""What only a development server may do, and only for its developer.

A page of another site, open in the developer's browser, can send requests to localhost. The browser
says so in `Sec-Fetch-Site` and `Origin`. Or the site lets its own name point to 127.0.0.1 (DNS
rebinding): the browser then takes both for one site, but sends that name as the host.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Request

from chirpy.settings import current_settings
from chirpy.web.refused import Refused

PRIVATE_SUFFIXES = (".localhost", ".internal")  # in no public DNS: RFC 6761, ICANN in 2024


class DevelopmentOnly(Refused):
    """The server does not run in development."""

    status = 403
    error = "Only a development server allows this"
    hint = "Set PLATFORM=dev and restart the server"


class CrossSite(Refused):
    """A browser sent this request for a page of another site."""

    status = 403
    error = "Pages of other sites may not send this request"
    hint = "Use curl, or open the address in the browser yourself"


class ForeignHost(Refused):
    """The host is a name of the public DNS, which another site can have made."""

    status = 403
    error = "The host of this request is neither an IP address nor a local name"
    hint = "Send the request to localhost, or set HOST to the name of this server"


def require_development(request: Request) -> None:
    """Raise DevelopmentOnly, CrossSite or ForeignHost (403) unless the developer sent this."""
    settings = current_settings()
    if settings.platform != "dev":
        raise DevelopmentOnly
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise CrossSite
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise CrossSite
    if not is_local(request.host, settings.host):
        raise ForeignHost


def is_local(host: str, own_name: str) -> bool:
    """Return whether a host is an IP address, `own_name`, or a name that no public DNS has.

    Names without a dot are those of containers and of computers in the same network.
    """
    try:
        name = urlsplit(f"//{host}").hostname or "."
        if "." not in name or name.endswith(PRIVATE_SUFFIXES) or name == own_name.lower():
            return True
        ip_address(name)
    except ValueError:
        return False
    return True
