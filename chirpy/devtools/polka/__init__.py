"""Simulate Polka, the payment provider: deliver webhook events and check the result."""
