"""The API reference: an OpenAPI document of all routes, from their schemas and refusals."""
