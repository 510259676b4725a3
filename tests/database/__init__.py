"""Tests of chirpy.database, and of the schema that migrations create."""
