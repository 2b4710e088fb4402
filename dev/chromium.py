"""Chromium: the one on the path, else Debian's package."""

import os
import shutil
import subprocess

from dev.steps import Failed, step

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def require() -> str:
    """Return its path; install it where that is possible.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    if found := _find():
        return found
    if shutil.which("apt-get") is None:
        raise Failed("no Chromium on the path, and no apt-get to install it")
    if os.geteuid() != 0:
        raise Failed("no Chromium on the path, and apt-get needs root")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    step("Debian's list of packages", "apt-get", "update", env=env)
    step("Chromium", "apt-get", "install", "-y", "chromium", "fonts-liberation", env=env)
    if found := _find():
        return found
    raise Failed("the package chromium is installed and does not start")


def _find() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name)) and _starts(path)), None)


def _starts(path: str) -> bool:
    """Tell a browser from what Ubuntu puts in its place, which only asks for a snap."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
