"""libfaketime, which gives a process another wall clock: Debian's package."""

import os
import shutil
from pathlib import Path

from dev.steps import Failed, step

FOLDERS = ("/usr/lib/{}/faketime", "/usr/local/lib/faketime", "/usr/lib/faketime")
LIBRARY = "libfaketime.so.1"  # not its sister for threads, whose lock holds up a busy server


def require() -> str:
    """Return the path of the library; install it where that is possible.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    if found := _find():
        return found
    if shutil.which("apt-get") is None:
        raise Failed("no libfaketime, and no apt-get to install it")
    if os.geteuid() != 0:
        raise Failed("no libfaketime, and apt-get needs root")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    step("Debian's list of packages", "apt-get", "update", env=env)
    step("libfaketime", "apt-get", "install", "-y", "libfaketime", env=env)
    if found := _find():
        return found
    raise Failed("the package libfaketime is installed and its library is not found")


def _find() -> str | None:
    folders = [folder for name in FOLDERS for folder in Path("/").glob(name.format("*")[1:])]
    return next((str(path) for folder in folders if (path := folder / LIBRARY).exists()), None)
