"""Users, login, tokens and memberships."""
