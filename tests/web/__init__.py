"""Tests of chirpy.web: error responses, JSON, fields and routing."""
