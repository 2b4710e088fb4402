"""redis-server, a real Redis: the one on the path, else Debian's package."""

import shutil

from dev import debian
from dev.steps import Failed


def require() -> str:
    """Return the path of the program; install it where that is possible.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    if found := shutil.which("redis-server"):
        return found
    debian.install("Redis", "redis-server")
    if found := shutil.which("redis-server"):
        return found
    raise Failed("the package redis-server is installed and the program is not found")
