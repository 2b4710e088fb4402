import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in an empty folder, with no settings but those that are given."""

    def run(*args: str, **settings: str) -> subprocess.CompletedProcess[str]:
        foreign = ("PARLEY_", "REDIS_URL", "MONGODB_URL")
        env = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
        # A child does not inherit what pytest puts on the path.
        env["PYTHONPATH"] = os.pathsep.join(sys.path)
        return subprocess.run(
            [sys.executable, *args],
            cwd=tmp_path,
            env=env | settings,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run
