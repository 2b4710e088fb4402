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


def program(title: str, name: str, package: str = "") -> str:
    """Return the path of a program; where there is none, install its package.

    Args:
        package: Like the program, if not given.

    Raises:
        Failed: It is not there and cannot be installed.
    """
    if found := _find(name):
        return found
    install(title, package or name)
    if found := _find(name):
        return found
    raise Failed(f"the package {package or name} is installed and the program is not found")


def _find(name: str) -> str | None:
    # Servers are where only root's path leads.
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin")
