"""`python -m chirpy.devtools.postgres remove FOLDER`: stop the server and delete its data."""

import sys
from pathlib import Path

from chirpy.devtools.postgres import EmbeddedPostgres, EmbeddedPostgresError

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "remove":
        sys.exit("Usage: python -m chirpy.devtools.postgres remove FOLDER")
    try:
        EmbeddedPostgres(Path(sys.argv[2])).destroy()
    except EmbeddedPostgresError as error:
        sys.exit(f"Error: {error}")
