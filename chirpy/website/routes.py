"""The page at /app/ and the files below it. `chirpy.admin` counts the visits.

Scripts and styles are below /static/, so that a browser that opens the page counts one visit.
"""

from pathlib import Path

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory
from flask.typing import ResponseReturnValue

from chirpy.web.development import is_development_host

FILES = Path(__file__).parent / "app"
STATIC = Path(__file__).parent / "static"

blueprint = Blueprint("website", __name__, template_folder="pages")


@blueprint.get("/", strict_slashes=False)
def redirect_from_root() -> ResponseReturnValue:
    """Redirect to /app/. 302: a browser keeps a permanent one, also for the next server here."""
    return redirect("/app/", 302)


@blueprint.get("/app")
def redirect_to_page() -> ResponseReturnValue:
    """Redirect to /app/. 308 with a relative location, for any Host header."""
    return redirect("/app/", 308)


@blueprint.get("/app/")
@blueprint.get("/app/index.html", endpoint="show_index")
def show_page() -> ResponseReturnValue:
    """Show the page, with the webhook lab in development. 200 HTML."""
    page = render_template("index.html", lab=is_development_host(request))
    return Response(page, mimetype="text/html")


@blueprint.get("/app/<path:name>")
def send_file(name: str) -> ResponseReturnValue:
    """Send a file. 200; 404."""
    return send_from_directory(FILES, name)


@blueprint.get("/static/<path:filename>")
def send_static(filename: str) -> ResponseReturnValue:
    """Send a script, style or font of the pages. This does not count as a visit. 200; 404."""
    return send_from_directory(STATIC, filename)
