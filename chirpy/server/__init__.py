"""Start the server: reserve the port, migrate the database, run the worker processes."""
