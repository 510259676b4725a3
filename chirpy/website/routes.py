"""Serve the pages below /app/, and count every request for one."""

from pathlib import Path

from flask import Blueprint, redirect, request, send_from_directory
from flask.typing import ResponseReturnValue

from chirpy import visits

PAGES = Path(__file__).parent / "pages"

blueprint = Blueprint("website", __name__)


@blueprint.before_app_request
def count_visit() -> None:
    """Count whatever is asked for below /app/, found or not."""
    if request.path.startswith("/app/"):
        visits.count_one()


@blueprint.get("/app")
def redirect_to_front_page() -> ResponseReturnValue:
    """Lead to the page itself; relative, whatever the Host header says. 308."""
    return redirect("/app/", 308)


@blueprint.get("/app/")
@blueprint.get("/app/<path:name>")
def show_page(name: str = "index.html") -> ResponseReturnValue:
    """A page, or what belongs to one. 200; 404."""
    return send_from_directory(PAGES, name)
