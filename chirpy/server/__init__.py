"""Start the server: reserve the port, migrate the database, run the worker processes.

In each, granian waits for the clients, and threads run the application.
"""
