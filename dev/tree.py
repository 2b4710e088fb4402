"""Where things are in the tree, and how we know that they are up to date."""

import fcntl
import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
WEB = ROOT / "client-examples" / "web"
NODE_EXAMPLE = ROOT / "client-examples" / "node"
PYTHON_EXAMPLE = ROOT / "client-examples" / "python"
END_TO_END = ROOT / "tests" / "e2e" / "node"
NPM_FOLDERS = (WEB, NODE_EXAMPLE, END_TO_END)  # each has a package-lock.json
STAMP = ".parley.json"


def digest(*paths: Path) -> str:
    """Return a fingerprint of these files; a missing one counts as empty."""
    content = hashlib.sha256()
    for path in paths:
        content.update(path.read_bytes() if path.exists() else b"")
    return content.hexdigest()


def read_stamp(folder: Path) -> dict[str, Any]:
    """Return what `write_stamp` left in ``folder``, or nothing.

    The stamp lies in the folder that it describes: who removes one removes both.
    """
    try:
        stamp: dict[str, Any] = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return stamp


def write_stamp(folder: Path, stamp: dict[str, Any]) -> None:
    """Record that ``folder`` is complete; call it last."""
    (folder / STAMP).write_text(json.dumps(stamp, indent=2) + "\n")


@contextmanager
def installing() -> Generator[None]:
    """Keep a second ``make`` in this tree from installing at the same time."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make installs here; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
