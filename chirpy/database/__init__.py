"""The database: engine and session, autocommitted statements, retries, explained failures."""
