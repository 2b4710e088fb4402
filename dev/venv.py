"""The virtual environment: made once, brought up to date when setup.cfg changes."""

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from dev.steps import Failed, step
from dev.tree import PYTHON_EXAMPLE, ROOT, digest, read_stamp, write_stamp


@dataclass(frozen=True)
class Venv:
    """A virtual environment of the Python that runs this code."""

    path: Path = ROOT / ".venv"

    def bin(self, command: str) -> str:
        """Return the path of an installed command."""
        return str(self.path / "bin" / command)

    def environment(self) -> dict[str, str]:
        """Return the environment for what runs inside, as activating it would set it."""
        search = f"{self.path / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return os.environ | {"VIRTUAL_ENV": str(self.path), "PATH": search}

    def prepare(self, *extras: str) -> None:
        """Install Parley with these extras of setup.cfg, beside those it already has.

        What client-examples/python needs comes along, so that its programs run here at once.
        """
        made = {"path": str(self.path), "python": sys.version, "base": sys.base_prefix}
        stamp = read_stamp(self.path)
        if stamp.get("made") != made:
            self._make()
            stamp = {}
        installed: list[str] = stamp.get("extras", [])
        names = sorted({*installed, *extras})
        requirements = PYTHON_EXAMPLE / "requirements.txt"
        wanted = {
            "made": made,
            "extras": names,
            "packages": digest(ROOT / "setup.cfg", ROOT / "pyproject.toml", requirements),
        }
        if stamp != wanted:
            parley = f".[{','.join(names)}]" if names else "."
            examples = ("--requirement", str(requirements))
            self.install("Python packages", "--editable", parley, *examples)
            write_stamp(self.path, wanted)

    def install(self, title: str, *arguments: str) -> None:
        """Run pip."""
        pip = ("-m", "pip", "--quiet", "--disable-pip-version-check", "install")
        step(title, self.bin("python"), *pip, *arguments, env=self.environment())

    def _make(self) -> None:
        if importlib.util.find_spec("ensurepip") is None:
            raise Failed(
                f"{sys.executable} cannot make a virtual environment: it has no ensurepip. "
                "On Debian and Ubuntu: apt install python3-venv"
            )
        shutil.rmtree(self.path, ignore_errors=True)
        # Not sys.executable: that may be the one in the folder just removed.
        python = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))
        name = os.path.relpath(self.path, ROOT)
        step(f"{name}, Python {platform.python_version()}", python, "-m", "venv", self.path)
