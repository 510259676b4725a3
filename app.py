"""The application, where `flask`, `python app.py` and every WSGI server look for it."""

from pathlib import Path

from chirpy import create_app
from chirpy.devtools.commands import register_commands
from chirpy.devtools.postgres import EmbeddedPostgres
from chirpy.server.serving import read_settings_or_exit, serve
from chirpy.web import logs

PROJECT = Path(__file__).parent

logs.configure()
settings = read_settings_or_exit(PROJECT / ".env")
postgres = None if settings.db_url else EmbeddedPostgres(PROJECT / "instance" / "postgres")
app = create_app(settings, postgres.ensure_running if postgres else None)
register_commands(app, postgres)

if __name__ == "__main__":
    serve(app, settings, target="app:app")
