"""Run what users paste or start in each shell that they have."""

import shutil

import pytest

every_shell = pytest.mark.parametrize(
    "shell",
    [
        "bash",
        pytest.param(
            "zsh",
            marks=pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed"),
        ),
    ],
)
