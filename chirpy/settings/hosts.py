"""Several hosts in DB_URL, in the form of libpq, which SQLAlchemy does not read."""

import re

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError

EXAMPLE = "postgres://user:password@host1:5432,host2:5432/name"
SEVERAL = re.compile(r"([^/]*//(?:[^/?@]*@)?)([^/?@]*,[^/?@]*)(?=[/?]|$)")
HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^][:]+)(?::(?P<port>[0-9]*))?")
HOST_WITH_PORT = re.compile(r"(?:^|,)[^,:/]*:[0-9]")


def take_hosts(text: str) -> tuple[str, str]:
    """Return a URL without its hosts, and the hosts, if there are several."""
    if several := SEVERAL.match(text):
        return several[1] + text[several.end() :], several[2]
    return text, ""


def with_hosts(url: URL, several: str) -> URL:
    """Return the URL with `several` hosts in its options."""
    option = url.query.get("host", "")
    if option and (several or url.host):  # libpq would use those of the option
        raise ValueError(f"names hosts twice; write all of them as in {EXAMPLE}")
    if isinstance(option, str) and HOST_WITH_PORT.search(option):  # libpq: a part of the name
        raise ValueError(f"has ports in the option host; write {EXAMPLE}")
    if not isinstance(option, str):  # SQLAlchemy's form: ?host=host1:5432&host=host2:5432
        several = ",".join(option)
    if not several:
        return url
    pairs = [pair for host in several.split(",") if (pair := HOST.fullmatch(host))]
    if len(pairs) <= several.count(",") or "port" in url.query:
        raise ValueError(f"must be written as {EXAMPLE}")
    hosts, ports = (",".join(pair[part] or "" for pair in pairs) for part in ("host", "port"))
    return url.update_query_dict({"host": re.sub(r"[][]", "", hosts), "port": ports})


def require_ports(url: URL) -> URL:
    """Return the URL. Raise ValueError unless there are as many ports as hosts, or none."""
    try:
        url.get_dialect()().create_connect_args(url)
    except ArgumentError:
        raise ValueError(f"must be written as {EXAMPLE}") from None
    return url


def show_hosts(url: URL) -> str:
    """Return the text of a URL, with its hosts where users write them."""
    hosts, ports = (str(url.query.get(name, "")).split(",") for name in ("host", "port"))
    if len(hosts) != len(ports) or len(hosts) == 1:
        return url.render_as_string()
    hosts = [f"[{host}]" if ":" in host else host for host in hosts]
    pairs = [f"{host}:{port}".rstrip(":") for host, port in zip(hosts, ports, strict=True)]
    one = url.difference_update_query(["host", "port"]).set(host="several.hosts")
    return one.render_as_string().replace("several.hosts", ",".join(pairs), 1)
