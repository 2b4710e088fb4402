"""``check``, and ``ci``: the same, then the quick tests on every other Python found."""

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from dev import node
from dev.steps import Failed, step
from dev.testing import test
from dev.tree import CACHE, NPM_FOLDERS, ROOT, installing
from dev.venv import Venv

CI_SECONDS = 80 * 60
# Beside what is slow: another program does not care which Python it talks to. What the client for
# Node.js says, the one for Python says too; of MongoDB only how it fails is left out.
ONCE = ("slow", "chromium", "node", "nginx", "haproxy", "etcd", "mongod")


def check(venv: Venv, arguments: list[str]) -> int:
    """Run every check, also after one has failed; then the tests."""
    with installing():
        venv.prepare("dev", "test")
        node.require(venv)
    failures: list[str] = []
    for title, command in _checks(venv):
        try:
            step(title, *command, env=venv.environment())
        except Failed as failure:
            print(failure.output, end="", flush=True)
            failures.append(str(failure))
    status = test(venv, arguments)
    if failures:
        raise Failed("\n".join(failures))
    return status


def _checks(venv: Venv) -> Iterator[tuple[str, list[str]]]:
    yield "Format", [venv.bin("ruff"), "format", "--check", "."]
    yield "Lint", [venv.bin("ruff"), "check", "."]
    yield "Types, by mypy", [venv.bin("mypy")]
    yield "Types, by pyright", [venv.bin("pyright")]
    yield "Imports", [venv.bin("lint-imports"), "--cache-dir", str(CACHE / "import-linter")]
    scripts = [
        str(path)
        for folder in NPM_FOLDERS
        for path in sorted([*folder.rglob("*.js"), *folder.rglob("*.mjs")])
        if "node_modules" not in path.parts
    ]
    # One after the other: node --check looks at its first file only.
    yield "JavaScript syntax", ["sh", "-ec", 'for f; do node --check "$f"; done', "sh", *scripts]


def ci(venv: Venv, arguments: list[str]) -> int:
    """Run ``check`` on this Python and the quick tests on the others, within `CI_SECONDS`."""
    end = time.monotonic() + CI_SECONDS
    _announce(platform.python_version(), sys.executable, "all checks, all tests")
    status = check(venv, arguments)
    for python in _output(str(ROOT / "dev" / "find-python"), "--all").splitlines():
        try:
            status = _quick_tests(python, end) or status
        except subprocess.TimeoutExpired:
            raise Failed(f"{python}: not done when the {CI_SECONDS} s were over") from None
    return status


def _quick_tests(python: str, end: float) -> int:
    version = _output(python, "-c", "import platform; print(platform.python_version())")
    if version == platform.python_version():
        return 0
    _announce(version, python, f"the tests not marked {', '.join(ONCE)}")
    command = [python, "-m", "dev", "test", "--venv", str(CACHE / f"venv-{version}")]
    # A session of its own, so that all it started can be ended with it.
    command += ["-m", " and ".join(f"not {mark}" for mark in ONCE)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as tests:
        try:
            return tests.wait(end - time.monotonic())
        except BaseException:
            os.killpg(tests.pid, signal.SIGTERM)
            raise


def _output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _announce(version: str, python: str, what: str) -> None:
    print(f"Python {version}, {python}: {what}", flush=True)
