"""Health, metrics, visits and reset."""
