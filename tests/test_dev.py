"""Who comes with the wrong Python gets one clear line, not a traceback."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_old_python_can_read_the_entry(name: str) -> None:
    ast.parse((ROOT / "dev" / name).read_text(), feature_version=(3, 6))


def test_a_python_that_does_not_fit_is_named() -> None:
    found = subprocess.run(
        [ROOT / "dev" / "find-python"],
        env=os.environ | {"PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "3.11 or newer; tried PYTHON=/bin/false" in found.stderr
