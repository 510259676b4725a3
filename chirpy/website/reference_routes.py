"""The API reference: the OpenAPI document, and Swagger UI, which shows it and tries its routes."""

from importlib.resources import files

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    render_template,
    request,
    send_from_directory,
)
from flask.typing import ResponseReturnValue

from chirpy.web.development import is_development_host
from chirpy.web.reference.document import EXTENSION
from chirpy.web.security_headers import POLICY

# Swagger UI shows an image that a route has sent from the memory of the browser.
POLICY_WITH_IMAGES = POLICY.replace("img-src 'self'", "img-src 'self' blob:")
SWAGGER_UI = str(files("flask_swagger_ui") / "dist")

blueprint = Blueprint("reference", __name__, template_folder="pages")


@blueprint.get("/openapi.json")
def show_document() -> ResponseReturnValue:
    """Show this document. 200 OpenAPI 3.1."""
    return Response(current_app.extensions[EXTENSION](), mimetype="application/json")


@blueprint.get("/docs")
def show_reference() -> ResponseReturnValue:
    """Show the API reference. 200 HTML."""
    g.policy = POLICY_WITH_IMAGES
    return Response(
        render_template("docs.html", lab=is_development_host(request)), mimetype="text/html"
    )


@blueprint.get("/docs/<path:name>")
def send_swagger_ui(name: str) -> ResponseReturnValue:
    """Send a file of Swagger UI. 200; 404."""
    return send_from_directory(SWAGGER_UI, name)
