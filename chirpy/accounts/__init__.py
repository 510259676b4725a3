"""Users, sign-in, tokens and memberships."""
