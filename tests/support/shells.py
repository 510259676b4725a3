"""Run what users paste or start in each shell that they have."""

import shutil

import pytest

with_zsh = pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
every_shell = pytest.mark.parametrize("shell", ["bash", pytest.param("zsh", marks=with_zsh)])
