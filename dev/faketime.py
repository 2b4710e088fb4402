"""libfaketime, which gives a process another wall clock: Debian's package."""

from pathlib import Path

from dev import debian
from dev.steps import Failed

FOLDERS = ("/usr/lib/{}/faketime", "/usr/local/lib/faketime", "/usr/lib/faketime")
LIBRARY = "libfaketime.so.1"


def require() -> str:
    """Return the path of the library; install it where that is possible.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    if found := _find():
        return found
    debian.install("libfaketime", "libfaketime")
    if found := _find():
        return found
    raise Failed("the package libfaketime is installed and its library is not found")


def _find() -> str | None:
    folders = [folder for name in FOLDERS for folder in Path("/").glob(name.format("*")[1:])]
    return next((str(path) for folder in folders if (path := folder / LIBRARY).exists()), None)
