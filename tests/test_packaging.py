"""The list of packages in setup.cfg is the tree: one left out is missing from the wheel only."""

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_setup_cfg_lists_every_package() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = config["options"]["packages"].split()
    found = {
        ".".join(("parley", *path.parent.relative_to(ROOT).parts))
        for top in ("server", "namespaces", "storage")
        for path in (ROOT / top).rglob("*.py")
    }
    assert listed == sorted(found)
