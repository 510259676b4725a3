"""The inputs that atheris begins with break no parser, also where it is not installed."""

import pytest

from tests.fuzz import parsers
from tests.fuzz.__main__ import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_first_inputs_of_the_fuzzer_break_no_parser(name: str) -> None:
    for data in parsers.SEEDS[name]:
        getattr(parsers, name)(data)
