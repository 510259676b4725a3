"""The pages below /app/. `chirpy.admin` counts the visits."""

from pathlib import Path

from flask import Blueprint, redirect, send_from_directory
from flask.typing import ResponseReturnValue

PAGES = Path(__file__).parent / "pages"

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
    return send_from_directory(PAGES, name)
