"""The pages below /app/. `chirpy.admin` counts the visits."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, g, redirect, send_from_directory
from flask.typing import ResponseReturnValue

from chirpy.web.security_headers import POLICY

PAGES = Path(__file__).parent / "pages"
STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)

blueprint = Blueprint("website", __name__)


@blueprint.get("/", strict_slashes=False)
def redirect_from_root() -> ResponseReturnValue:
    """Redirect to /app/. 302: a browser keeps a 308, also for the next server at this address."""
    return redirect("/app/", 302)


@blueprint.get("/app")
def redirect_to_front_page() -> ResponseReturnValue:
    """Redirect to /app/. 308 with a relative location, for any Host header."""
    return redirect("/app/", 308)


@blueprint.get("/app/")
@blueprint.get("/app/<path:name>")
def show_page(name: str = "index.html") -> ResponseReturnValue:
    """Show the front page or one of its files. 200; 404."""
    file = send_from_directory(PAGES, name)
    if file.mimetype == "text/html":
        g.policy = allow_styles_in(PAGES / name)
    return file


def allow_styles_in(page: Path) -> str:
    """Return the policy of a page, which allows its own styles by their hashes, and no others."""
    styles = STYLE.findall(page.read_text(encoding="utf-8"))
    digests = (b64encode(sha256(style.encode()).digest()).decode() for style in styles)
    return " ".join((f"{POLICY}; style-src 'self'", *(f"'sha256-{each}'" for each in digests)))
