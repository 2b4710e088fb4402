"""What README.md and the pages of docs/ say about files, settings, packages and clients is so."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import fields
from pathlib import Path

import pytest

from dev.commands import COMMANDS
from parley.server.settings import Settings, variable_of
from tests.servers import ServerProcess

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
END_TO_END = ROOT / "tests" / "e2e" / "node"  # has socket.io-client


@pytest.mark.node
async def test_the_javascript_example_says_hello(server: ServerProcess) -> None:
    node = ["node", "--input-type=module", "--eval"]
    await _says_hello(server, [*node, _example("js", server)], END_TO_END)


async def test_the_python_example_says_hello(server: ServerProcess, tmp_path: Path) -> None:
    await _says_hello(server, [sys.executable, "-c", _example("python", server)], tmp_path)


def _example(language: str, server: ServerProcess) -> str:
    [code] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert "http://127.0.0.1:8080" in code
    return str(code).replace("http://127.0.0.1:8080", server.url)


async def _says_hello(server: ServerProcess, command: list[str], folder: Path) -> None:
    env = {**os.environ, "TOKEN": server.token("alice"), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"alice: Hello\n"
    finally:
        process.kill()
        await process.communicate()


def test_the_settings_are_those_of_the_code() -> None:
    rows = [(row[0].strip("`"), row[1].strip("`")) for row in _table(README, "variable")]
    assert rows == [(variable_of(field.name), _shown(field.default)) for field in fields(Settings)]


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(int(default))
    return "–" if default in (None, (), frozenset()) else str(default)


def test_the_dependencies_are_those_of_setup_cfg() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = config["options"]["install_requires"].split("\n")
    names = {re.split(r"[ ~=<>;\[]", line, maxsplit=1)[0] for line in required if line}
    assert {row[0].strip("`") for row in _table(README, "package")} == names


def test_the_commands_exist() -> None:
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z]+)", page.read_text()))
        assert named <= set(COMMANDS), page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" not in target:
            found = page if not path else page.parent / path
            assert found.exists(), target
            assert not anchor or anchor in _anchors(found.read_text()), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_are_named_exist(page: Path) -> None:
    for name in re.findall(r"`([\w.-]+/[\w./-]+)`", page.read_text()):
        planned = name.startswith(_PLANNED)
        assert (ROOT / name).exists() is not planned, f"{page.name}: {name}"


_PLANNED: tuple[str, ...] = ()


def _table(text: str, first_cell: str) -> Iterator[list[str]]:
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {first_cell} |"):
            next(lines)
            break
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.split("|")[1:-1]]


def _anchors(text: str) -> set[str]:
    """Return the anchors that a renderer gives the headings; the second of a name gets a -1."""
    anchors: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        times = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", a) is not None for a in anchors)
        anchors.append(f"{anchor}-{times}" if times else anchor)
    return set(anchors)
