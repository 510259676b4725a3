"""Tests of chirps."""
