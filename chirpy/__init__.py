"""Chirpy: a microblog API that receives webhooks correctly."""

from flask import Flask

from chirpy.accounts import reference as accounts_reference
from chirpy.accounts.commands import token_commands
from chirpy.accounts.routes import blueprint as accounts
from chirpy.admin import reference as admin_reference
from chirpy.admin.health import blueprint as health
from chirpy.admin.routes import blueprint as admin
from chirpy.check.command import check
from chirpy.chirps import reference as chirps_reference
from chirpy.chirps.routes import blueprint as chirps
from chirpy.database.autocommit_pool import bind_autocommit_pool
from chirpy.database.connecting import ConnectArguments
from chirpy.database.engine import bind_engine
from chirpy.database.errors import is_transient, is_unmigrated, next_step
from chirpy.server.doctor.command import doctor
from chirpy.server.migration_commands import migration_commands
from chirpy.settings import EXTENSION, Settings
from chirpy.web import application, errors
from chirpy.web.reference import document
from chirpy.web.reference.operations import Operations
from chirpy.webhooks import reference as webhooks_reference
from chirpy.webhooks.commands import webhook_commands
from chirpy.webhooks.delivery_log_routes import blueprint as delivery_log
from chirpy.webhooks.lab_routes import blueprint as lab
from chirpy.webhooks.routes import blueprint as webhooks
from chirpy.website import reference as website_reference
from chirpy.website.reference_routes import blueprint as reference
from chirpy.website.routes import blueprint as website

BLUEPRINTS = (accounts, chirps, webhooks, delivery_log, lab, health, admin, website, reference)
OPERATIONS: Operations = {
    **accounts_reference.OPERATIONS,
    **chirps_reference.OPERATIONS,
    **webhooks_reference.OPERATIONS,
    **admin_reference.OPERATIONS,
    **website_reference.OPERATIONS,
}


def create_app(settings: Settings, connect_arguments: ConnectArguments | None = None) -> Flask:
    """Return the application. It connects to the database when the first request needs it.

    Without a DB_URL, `connect_arguments` returns those of each new connection.
    """
    app = application.Application(__name__, trusted_proxies=settings.trusted_proxies)
    app.extensions[EXTENSION] = settings
    app.url_map.merge_slashes = False  # no redirect of a POST: senders do not follow it
    bind_engine(app, settings, connect_arguments)
    bind_autocommit_pool(app)
    errors.register(app, is_transient, is_unmigrated, next_step)
    document.register(app, OPERATIONS)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for command in (migration_commands, webhook_commands, token_commands, check, doctor):
        app.cli.add_command(command)
    return app
