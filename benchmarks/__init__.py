"""Measure how fast Chirpy is: `python -m benchmarks --help`."""
