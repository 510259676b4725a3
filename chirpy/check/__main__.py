"""Run `python -m chirpy.check URL`, without settings and without a database."""

from chirpy.check.command import check

check(prog_name="python -m chirpy.check")
