"""Requests and texts that nobody wrote: what may be refused, but never breaks or hangs.

`make test` sends some, `make fuzz` sends many, and lets atheris look for inputs of the parsers.
"""
