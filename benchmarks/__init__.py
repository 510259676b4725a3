"""How fast Chirpy is, beside how fast it could be: `python -m benchmarks --help`."""
