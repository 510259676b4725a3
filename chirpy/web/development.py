"""What only a development server may do, and only for its developer.

A page of another site, open in the developer's browser, can send requests to localhost. The browser
says so in `Sec-Fetch-Site` and `Origin`. Or the site lets its own name point to 127.0.0.1 (DNS
rebinding): the browser then takes both for one site, but sends that name as the host.
"""

import re
from ipaddress import ip_address

from flask import Request

from chirpy.settings import current_settings
from chirpy.web.refused import Refused

# Werkzeug's request.host refuses the underscores in the names of containers.
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?", re.IGNORECASE)
# In no public DNS: names without a dot, and by RFC 6761 and ICANN (2024) those with these endings.
PRIVATE_NAME = re.compile(r"[a-z0-9_-]+|.+\.(localhost|internal)")


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
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != host:
        raise CrossSite
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise CrossSite
    if not is_local(host, settings.host):
        raise ForeignHost


def is_development_host(request: Request) -> bool:
    """Return whether this is a development server, under an address that no other site can have."""
    settings = current_settings()
    return settings.platform == "dev" and is_local(request.host, settings.host)


def is_local(host: str, own_name: str) -> bool:
    """Return whether a host is an IP address, `own_name`, or a name that no public DNS has.

    Names without a dot are those of containers and of computers in the same network.
    """
    found = HOST.fullmatch(host)
    name = found[1].lower() if found else "."
    if PRIVATE_NAME.fullmatch(name) or name == own_name.lower():
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
