"""Chirpy: short messages, and webhooks received right."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response
from flask.ctx import RequestContext
from flask.json.provider import DefaultJSONProvider

from chirpy import database, errors, statements
from chirpy.accounts.routes import blueprint as accounts
from chirpy.admin.commands import psql
from chirpy.admin.routes import blueprint as admin
from chirpy.chirps.routes import blueprint as chirps
from chirpy.migrating import migrations
from chirpy.polka.commands import polka
from chirpy.reading import read_rest
from chirpy.settings import EXTENSION, Settings
from chirpy.webhooks.commands import webhooks as webhook_commands
from chirpy.webhooks.routes import blueprint as webhooks
from chirpy.website.routes import blueprint as website

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REQUEST = "chirpy.request"  # in the environ: Flask has let go of it when all is answered
ROOMS = (accounts, chirps, webhooks, admin, website)
COMMANDS = (migrations, psql, webhook_commands, polka)


class Answer(Response):
    """An answer that names no type of content unless it has some: a 204 has none."""

    default_mimetype = None


class Chirpy(Flask):
    """The application as servers call it: each body is read, and nothing else waits for that."""

    def request_context(self, environ: "WSGIEnvironment") -> RequestContext:
        context = super().request_context(environ)
        environ[REQUEST] = context.request
        return context

    def wsgi_app(self, environ: "WSGIEnvironment", start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = super().wsgi_app(environ, start_response)
        read_rest(environ.pop(REQUEST))  # no transaction is open meanwhile
        return answer


class CompactJSON(DefaultJSONProvider):
    """Answers without blanks, in the order written and in plain UTF-8: scripts grep them."""

    compact = True
    ensure_ascii = False
    sort_keys = False


def create_app(settings: Settings) -> Flask:
    """Make settings, database, errors and rooms one application; connects to nothing yet."""
    app = Chirpy(__name__, static_folder=None)
    app.extensions[EXTENSION] = settings
    app.url_map.merge_slashes = False  # it would redirect a POST to //api, which loses its body
    app.json = CompactJSON(app)
    app.response_class = Answer
    database.bind(app, settings)
    statements.bind(app)
    errors.register(app)
    for room in ROOMS:
        app.register_blueprint(room)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app
