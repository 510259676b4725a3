"""Helpers of the tests: databases, servers, example data, deliveries to refuse."""
