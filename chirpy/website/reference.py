"""Describe the pages and files for the API reference."""

from werkzeug.exceptions import RequestedRangeNotSatisfiable

from chirpy.web.http_errors import PathNotFound, refused_by_flask
from chirpy.web.reference.operations import Answer, Operation, Operations
from chirpy.web.reference.responses import TEXT
from chirpy.website import reference_routes, routes

PAGE = Operation(
    answers={200: Answer("The page", TEXT, media_type="text/html")}, uses_database=False
)


def file(variable: str, example: str) -> Operation:
    """Describe a route that sends the file with a name, such as the example."""
    return Operation(
        path={variable: example},
        answers={
            200: Answer("The file", {}, media_type="*/*"),
            206: Answer("The part of it that `Range` asks for", {}, media_type="*/*"),
            304: Answer("The file that the client has is the newest"),
        },
        refusals={
            "no such file": PathNotFound(),
            "beyond the end": refused_by_flask(RequestedRangeNotSatisfiable(1024)),
        },
        uses_database=False,
    )


def redirect(status: int) -> Operation:
    """Describe a redirect to the page."""
    location = {"schema": {"const": "/app/"}}
    answer = Answer("To the page", headers={"Location": location})
    return Operation(answers={status: answer}, uses_database=False)


OPERATIONS: Operations = {
    routes.redirect_from_root: redirect(302),
    routes.redirect_to_page: redirect(308),
    routes.show_page: PAGE,
    routes.send_file: file("name", "assets/logo.png"),
    routes.send_static: file("filename", "style.css"),
    reference_routes.show_document: Operation(
        answers={200: Answer("OpenAPI 3.1", {"type": "object"})}, uses_database=False
    ),
    reference_routes.show_reference: PAGE,
    reference_routes.send_swagger_ui: file("name", "swagger-ui.css"),
}
