"""Serve the pages below /app/, and count every request for one."""

from pathlib import Path

from flask import Blueprint, request, send_from_directory
from flask.typing import ResponseReturnValue

from chirpy import visits

PAGES = Path(__file__).parent / "pages"

blueprint = Blueprint("website", __name__)


@blueprint.before_app_request
def count_visit() -> None:
    """Count whatever is asked for below /app/, found or not."""
    if request.path.startswith("/app/"):
        visits.count_one()


@blueprint.get("/app/")
@blueprint.get("/app/<path:name>")
def show_page(name: str = "index.html") -> ResponseReturnValue:
    """A page, or what belongs to one. 200; 404."""
    return send_from_directory(PAGES, name)
