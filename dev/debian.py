"""Debian's packages, for what the tests drive and a machine lacks."""

import os
import shutil

from dev.steps import Failed, step


def install(title: str, *packages: str) -> None:
    """Install packages where that is possible.

    Raises:
        Failed: There is no apt-get, it needs root, or it failed.
    """
    if shutil.which("apt-get") is None:
        raise Failed(f"no {title}, and no apt-get to install it")
    if os.geteuid() != 0:
        raise Failed(f"no {title}, and apt-get needs root")
    # At this level Debian's packages do not start the servers that they bring.
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    step("Debian's list of packages", "apt-get", "update", env=env)
    step(title, "apt-get", "install", "-y", *packages, env=env)
