"""``test``: everything the tests need, then the tests."""

import argparse
import os
import subprocess

from dev import chromium, debian, faketime, mongod, node
from dev.steps import Failed
from dev.tree import NPM_FOLDERS, ROOT, installing
from dev.venv import Venv

_PROGRAMS = {
    "redis": ("Redis", "redis-server", "redis-server"),
    "nginx": ("nginx", "nginx", "nginx"),
    "haproxy": ("HAProxy", "haproxy", "haproxy"),
    "etcd": ("etcd", "etcd", "etcd-server"),
}
"""By the marker of the tests that run them: programs, and the packages of Debian with them."""

# Each worker has servers of its own; tests mostly wait for them. A file stays with one worker,
# because what its tests share does.
_SIDE_BY_SIDE = ("--numprocesses", "auto", "--maxprocesses", "4", "--dist", "loadfile")
_NONE_SELECTED = 5  # what pytest ends with, then


def test(venv: Venv, arguments: list[str]) -> int:
    """Run the tests; the last line names those that this machine cannot run.

    All run side by side, then those marked ``alone``, one after the other. What ``arguments``
    say beside ``-m`` is pytest's, and lets it run once.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m", dest="marks")
    options, rest = parser.parse_known_args(arguments)
    env = venv.environment()
    with installing():
        venv.prepare("test")
        missing = _missing(venv, env)
    if missing and os.environ.get("CI") == "true":
        output = "".join({why.output for why in missing.values()})
        raise Failed("; ".join(f"no {mark} tests: {why}" for mark, why in missing.items()), output)
    marks = ([f"({options.marks})"] if options.marks else []) + [f"not {m}" for m in missing]
    if rest or os.environ.get("TEST_REDIS_URL"):  # one Redis for all: each test empties it
        status = _pytest(venv, env, marks, *rest)
    else:
        status = _in_two_parts(venv, env, marks)
    for mark, why in missing.items():
        print(f"Not run: the tests marked {mark} ({why}).")
    return status


def _in_two_parts(venv: Venv, env: dict[str, str], marks: list[str]) -> int:
    """Run what may have neighbours, then the rest; return a status that stands for both."""
    statuses = [
        _pytest(venv, env, [*marks, "not alone"], *_SIDE_BY_SIDE),
        _pytest(venv, env, [*marks, "alone"]),
    ]
    failed = [status for status in statuses if status not in (0, _NONE_SELECTED)]
    if failed:
        print("Not all tests passed: they ran in two parts, each with a summary above.", flush=True)
    return failed[0] if failed else min(statuses)


def _pytest(venv: Venv, env: dict[str, str], marks: list[str], *arguments: str) -> int:
    selection = ["-m", " and ".join(marks)] if marks else []
    command = [venv.bin("python"), "-m", "pytest", *selection, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def _missing(venv: Venv, env: dict[str, str]) -> dict[str, Failed]:
    """Install what the end-to-end tests drive; return the markers that cannot run, and why."""
    missing: dict[str, Failed] = {}
    try:
        env["PARLEY_TEST_CHROMIUM"] = chromium.require()
    except Failed as failure:
        missing["chromium"] = failure
    try:
        env["PARLEY_TEST_FAKETIME"] = faketime.require()
    except Failed as failure:
        missing["faketime"] = failure
    try:
        env["PARLEY_TEST_MONGOD"] = mongod.require(venv)
    except Failed as failure:
        missing["mongod"] = failure
        if not os.environ.get("TEST_MONGODB_URL"):
            missing["mongo"] = failure
    for mark, program in _PROGRAMS.items():
        try:
            env[f"PARLEY_TEST_{mark.upper()}"] = debian.program(*program)
        except Failed as failure:
            missing[mark] = failure
    try:
        node.require(venv)
        for folder in NPM_FOLDERS:
            node.install_packages(folder, venv)
    except Failed as failure:
        missing["node"] = missing["chromium"] = failure
    return missing
