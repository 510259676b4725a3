"""The application, where `flask`, `python app.py` and every WSGI server look for it."""

import gc
import sys
from pathlib import Path

from chirpy import create_app, logs
from chirpy.serving import StartError, serve
from chirpy.settings import SettingsError, read_settings

logs.configure()
try:
    settings = read_settings(Path(__file__).with_name(".env"))
except SettingsError as error:
    sys.exit(str(error))

app = create_app(settings)
gc.freeze()  # what is loaded now stays: no collection looks through it again, workers share it

if __name__ == "__main__":
    try:
        serve(app, settings)
    except StartError as error:
        sys.exit(str(error))
