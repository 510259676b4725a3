"""What one statement says about the server and the database."""

from typing import Any

from sqlalchemy import Row, text

FACTS = text("""
    SELECT current_setting('server_version') AS version,
        current_setting('server_version_num')::int / 10000 AS major,
        current_user::text AS user_name, current_database()::text AS name,
        current_setting('server_encoding') AS encoding,
        extract(epoch FROM clock_timestamp())::float AS now,
        pg_is_in_recovery() AS is_standby,
        (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS source,
        (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS commits,
        coalesce(current_schema()::text, 'public') AS schema,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
        least(
            current_setting('max_connections')::int
                - current_setting('superuser_reserved_connections')::int,
            (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
            (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
        ) AS connections
""")
Facts = Row[*tuple[Any, ...]]
