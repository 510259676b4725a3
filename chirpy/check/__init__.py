"""Judge any Chirpy server over HTTP, and nothing else: see docs/check.md."""
