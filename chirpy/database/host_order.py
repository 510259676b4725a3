"""Try the host first that answered last. A host before it may be silent, for 2 s each time."""

from typing import Any

DEFAULT_PORT = "5432"


class HostOrder:
    """The order of several hosts, for all connections of an application."""

    def __init__(self) -> None:
        self._last = ("", "")

    def apply(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `psycopg2.connect` with the last host in front of the others."""
        hosts = str(options.get("host", "")).split(",")
        ports = str(options.get("port", "")).split(",")
        if len(hosts) != len(ports) or len(hosts) == 1:
            return options
        pairs = sorted(
            zip(hosts, ports, strict=True),
            key=lambda pair: (pair[0], pair[1] or DEFAULT_PORT) != self._last,
        )
        return options | {
            "host": ",".join(host for host, _ in pairs),
            "port": ",".join(port for _, port in pairs),
        }

    def remember(self, connection: Any) -> None:
        """Put the host of this connection in front."""
        self._last = (connection.info.host, str(connection.info.port))
