"""Requests that are nearly valid: each part is right, or wrong somewhere."""

import json
import re
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.support.databases import POLKA_KEY
from tests.support.deliveries import KNOWN_USER
from tests.support.factories import PASSWORD
from tests.support.server import PROJECT

ACCESS_TOKEN = "<access token>"  # is replaced when the request is sent
API_PAGE = (PROJECT / "docs" / "api.md").read_text()
ROUTE = re.compile(r"^\| `([A-Z]+) (/\S*)` \|(.*)", re.MULTILINE)
STATUS = re.compile(r"\b[234]\d\d\b")
WEBHOOK = API_PAGE.partition("\n## The webhook")[2].partition("\n| Case |")[2].partition("\n\n")[0]
# What each route can answer if nothing is broken, by its method and path.
STATUSES = {
    (method, path): set(map(int, STATUS.findall(WEBHOOK if "webhook)" in row else row)))
    for method, path, row in ROUTE.findall(API_PAGE)
}
METHODS = ["HEAD", "POST", "PATCH", "OPTIONS", "TRACE", "get", "BREW"]
QUERY = {
    "author_id": [f"{KNOWN_USER}"],
    "user_id": [f"{KNOWN_USER}"],
    "sort": ["asc", "desc"],
    "limit": ["1", "1000"],
    "after": ["gAAA" + "A" * 28],
    "since": ["2026-01-31T12:00:00Z"],
    "outcome": ["applied"],
    "type": ["user.upgraded"],
}
HEADERS = {
    "Content-Type": ["application/json", "multipart/form-data; boundary=x", "text/html"],
    "Idempotency-Key": ["key", '"key"'],
    "webhook-id": ["msg_1"],
    "X-Request-Id": ["request-1"],
    "X-Forwarded-For": ["192.0.2.1, 192.0.2.2"],
    "Range": ["bytes=0-1", "bytes=99999-", "bytes=-1"],
    "If-None-Match": ['"x"', "*"],
    "If-Modified-Since": ["Sat, 31 Jan 2026 12:00:00 GMT"],
    "Accept-Encoding": ["gzip, br;q=0"],
    "Cookie": ["session=x; session=y"],
    "Origin": ["http://127.0.0.1", "null"],
    "Sec-Fetch-Site": ["same-origin", "cross-site"],
}
CREDENTIALS = [f"Bearer {ACCESS_TOKEN}", f"Bearer {'0' * 64}", "Basic eDp4"]
MEMBERS = {
    "email": "walt@example.com",
    "password": PASSWORD,
    "body": "Hello kerfuffle",
    "event": "user.upgraded",
    "data": {"user_id": str(KNOWN_USER)},
    "id": "evt_1",
    "timestamp": "2026-01-31T12:00:00Z",
}
# As WSGI has them: one character for each byte. A line break would end the header.
LATIN_1 = st.characters(max_codepoint=0xFF, exclude_characters="\r\n")


@dataclass(frozen=True)
class FuzzRequest:
    """One HTTP request, without the headers of its host and of the body's length."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@st.composite
def nearly(draw: st.DrawFn, text: str) -> str:
    """Return the text, mostly; or with some characters replaced, added or left out."""
    if draw(st.integers(0, 7)) < 7:
        return text
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return text[:start] + draw(st.text(LATIN_1, max_size=3)) + text[end:]


def some_of(names: dict[str, list[str]], max_size: int) -> st.SearchStrategy[dict[str, str]]:
    """Return some of the names, each with nearly one of its values."""
    pairs = [
        st.tuples(st.just(name), st.sampled_from(values).flatmap(nearly))
        for name, values in names.items()
    ]
    return st.lists(st.one_of(pairs), max_size=max_size).map(dict)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
values = st.recursive(
    scalars | st.sampled_from(["\0", "\ud800", "x" * 300, 10**120, -0.0, 1e300, []]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
members = st.dictionaries(st.sampled_from([*MEMBERS]), values, max_size=1)
objects = members.map(lambda changed: MEMBERS | changed).map(json.dumps)
bodies = st.one_of(
    objects.map(str.encode),
    objects.flatmap(nearly).map(str.encode),
    values.map(json.dumps).map(str.encode),
    st.sampled_from([b"", b"\xff", b"[" * 60_000, b'{"a":' * 9_000, b'"' * 65_536, b" " * 65_537]),
)


@st.composite
def requests(draw: st.DrawFn) -> FuzzRequest:
    """Return a request that is right in most of its parts."""
    method, path = draw(st.sampled_from([*STATUSES]))
    path = path.replace("{name}", "assets/logo.png").replace("{chirp_id}", str(KNOWN_USER))
    right = f"ApiKey {POLKA_KEY}" if "polka" in path else CREDENTIALS[0]
    credentials = draw(st.sampled_from([right] * 8 + CREDENTIALS).flatmap(nearly))
    query = draw(some_of(QUERY, 3))
    return FuzzRequest(
        method=draw(st.sampled_from([method] * 8 + METHODS)),
        path=draw(nearly(path)),
        query="&".join(map("=".join, query.items())),
        headers={"Authorization": credentials} | draw(some_of(HEADERS, 3)),
        body=draw(bodies),
    )
