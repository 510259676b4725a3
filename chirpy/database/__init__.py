"""The database: engine and session, single autocommitted statements, retries, explanations."""
