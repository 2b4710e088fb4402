"""Chromium: the one on the path, else Debian's package."""

import shutil
import subprocess

from dev import debian
from dev.steps import Failed

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def require() -> str:
    """Return its path; install it where that is possible.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    if found := _find():
        return found
    debian.install("Chromium", "chromium", "fonts-liberation")
    if found := _find():
        return found
    raise Failed("the package chromium is installed and does not start")


def _find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name)) and _starts(path)), None)


def _starts(path: str) -> bool:
    """Tell a browser from what Ubuntu puts in its place, which only asks for a snap."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
