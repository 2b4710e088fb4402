"""Node.js and the packages that it needs here, from npm."""

import shutil
import sys
from pathlib import Path

from bench.paths import Unusable
from dev import node
from dev.steps import Failed
from dev.tree import installing
from dev.venv import Venv

_VENV = Venv(Path(sys.prefix))


def install(folder: Path) -> None:
    """Install what the lock file in ``folder`` names, if that was not done before.

    Raises:
        Unusable: npm could not.
    """
    try:
        with installing():
            node.install_packages(folder, _VENV)
            node.require(_VENV)
    except Failed as failure:
        raise Unusable(f"{failure.output}{failure}") from None


def command() -> str:
    """Return the path of Node.js; call `install` before."""
    found = shutil.which("node", path=_VENV.environment()["PATH"])
    if found is None:
        raise Unusable("no Node.js")
    return found
