"""Tests of docker-compose.yml with a real Docker engine: `make test-docker`."""
