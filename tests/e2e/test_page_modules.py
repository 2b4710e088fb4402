"""The modules of the chat page have their own tests, which run on Node.js."""

import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "client-examples" / "web"


@pytest.mark.node
def test_the_page_passes_its_own_tests() -> None:
    npm_test = subprocess.run(
        ["npm", "test"], cwd=PAGE, capture_output=True, text=True, check=False
    )
    assert npm_test.returncode == 0, npm_test.stdout + npm_test.stderr
