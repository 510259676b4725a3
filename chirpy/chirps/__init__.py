"""Posting and reading chirps."""
