"""Failover between machines: `make test-failover`."""
