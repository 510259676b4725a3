"""The fault matrix: what fails, at which point of a request, and what is promised then."""
