"""The commands of the Makefile. Here: main, run, bench, format, clean."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dev import node
from dev.checking import check, ci
from dev.cluster import cluster
from dev.steps import Failed, step
from dev.testing import test
from dev.tree import CACHE, NPM_FOLDERS, PYTHON_EXAMPLE, ROOT, WEB, installing
from dev.venv import Venv


def main() -> int:
    """Run the command named in ``sys.argv``; what it does not know goes to what it starts."""
    parser = argparse.ArgumentParser(prog="python3 -m dev", add_help=False, allow_abbrev=False)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="default: .venv")
    options, rest = parser.parse_known_args()
    try:
        return COMMANDS[options.command](Venv(options.venv.resolve()), rest)
    except Failed as failure:
        print(failure.output, end="", flush=True)
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(venv: Venv, arguments: list[str]) -> int:
    """Become ``parley serve`` with the chat page and sign-in by name."""
    with installing():
        venv.prepare()
        try:
            node.install_packages(WEB, venv)
        except Failed as failure:
            print(f"No chat page: {failure}. The server starts without it.")
    env = venv.environment() | {"PARLEY_WEB_ROOT": str(WEB), "PARLEY_DEV_LOGIN": "1"}
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(venv.bin("parley"), ["parley", "serve", *arguments], env)


def bench(venv: Venv, arguments: list[str]) -> int:
    """Run the benchmarks; what they need of npm they fetch themselves."""
    with installing():
        venv.prepare("bench")
    command = [venv.bin("python"), "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, env=venv.environment(), check=False).returncode


def format_(venv: Venv, arguments: list[str]) -> int:
    """Put the code into shape, with the fixes that ruff holds for safe."""
    with installing():
        venv.prepare("dev")
    ruff = venv.bin("ruff")
    step("Order of imports and more", ruff, "check", "--fix-only", *arguments, ".")
    step("Format", ruff, "format", *arguments, ".")
    return 0


def clean(venv: Venv, _: list[str]) -> int:
    """Remove what the tools made; ``data`` stays."""
    made = [venv.path, CACHE, ROOT / "build", ROOT / ".hypothesis"]
    made += [folder / "node_modules" for folder in NPM_FOLDERS]
    made += ROOT.glob("*.egg-info")
    for package in ("server", "namespaces", "storage", "tests", "bench", "dev"):
        made += (ROOT / package).rglob("__pycache__")
    made += [PYTHON_EXAMPLE / "__pycache__", ROOT / "bench" / "servers" / "node_modules"]
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


COMMANDS = {
    "run": run,
    "cluster": cluster,
    "test": test,
    "check": check,
    "ci": ci,
    "bench": bench,
    "format": format_,
    "clean": clean,
}
