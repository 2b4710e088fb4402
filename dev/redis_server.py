"""redis-server, a real Redis: the one on the path, else Debian's package."""

from dev import debian


def require() -> str:
    """Return the path of the program; install it where that is possible.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    return debian.program("Redis", "redis-server", package="redis-server")
