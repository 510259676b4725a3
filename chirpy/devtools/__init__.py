"""Tools for a developer's machine: embedded Postgres, Polka simulator, psql, seed, first run."""
