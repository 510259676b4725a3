"""The application, where `flask`, `python app.py` and every WSGI server look for it."""

import gc

gc.disable()  # what is loaded stays: looking for garbage in it is a tenth of the start

import sys
from pathlib import Path

from chirpy import create_app, logs
from chirpy.migrating import StartError
from chirpy.serving import serve
from chirpy.settings import SettingsError, read_settings

logs.configure()
try:
    settings = read_settings(Path(__file__).with_name(".env"))
except SettingsError as error:
    sys.exit(str(error))

app = create_app(settings)
gc.freeze()  # nor is it looked through later, so that workers share it
gc.enable()

if __name__ == "__main__":
    try:
        serve(app, settings)
    except StartError as error:
        sys.exit(str(error))
