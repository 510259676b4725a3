"""Tools for a developer's machine: the embedded Postgres, the Polka simulator, the first run."""
