"""Real nginx and HAProxy before real servers, as ``parley proxy-config`` sets them up."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from parley.server.auth import TokenMint
from parley.server.keys import KeyRing, parse_keys
from parley.server.proxies.configuration import configuration
from parley.server.proxies.nodes import Node
from parley.server.settings import Settings
from tests.redis_server import free_port
from tests.servers import ServerProcess

START_S = 20.0
KEYS = "k1:" + "A" * 43
HERE = "127.0.0.1"  # where proxies are; clients that have other addresses are not trusted

# The package's folders belong to root, and a test needs none of what they are for.
_FOLDERS = "\n".join(
    f"{name}_temp_path {{folder}}/{name};"
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


@dataclass(frozen=True)
class Cluster:
    """Servers by their names, each with a database of its own, and a proxy before them."""

    url: str
    log: Path  # what the proxy said
    nodes: Mapping[str, ServerProcess]
    mint: TokenMint = field(
        default_factory=lambda: TokenMint(
            KeyRing.load(Settings(signing_keys=tuple(parse_keys([KEYS]))))
        )
    )

    @classmethod
    @contextlib.asynccontextmanager
    async def behind(
        cls, proxy: str, folder: Path, settings: Mapping[str, Mapping[str, str]] | None = None
    ) -> AsyncGenerator["Cluster"]:
        """Run n1, n2 and n3 with these settings of each, and the proxy."""
        nodes = {
            name: ServerProcess(
                folder / name,
                {
                    "PARLEY_NODE": name,
                    "PARLEY_SIGNING_KEYS": KEYS,
                    "PARLEY_TRUSTED_PROXIES": HERE,
                    **(settings or {}).get(name, {}),
                },
            )
            for name in ("n1", "n2", "n3")
        }
        try:
            for node in nodes.values():  # one after the other, so that each has its time
                await node.start()
            async with running(proxy, folder, nodes) as url:
                yield cls(url, folder / "log", nodes)
        finally:
            await asyncio.gather(*(node.kill() for node in nodes.values()))

    async def says(self, words: str) -> None:
        """Wait until the proxy has said this."""
        async with asyncio.timeout(START_S):
            while True:
                if words in self.log.read_text():
                    return
                await asyncio.sleep(0.02)

    def token(self, user_id: str) -> str:
        """Return a token that every node accepts."""
        return self.mint.mint(user_id, name=None, ttl_s=3_600)


@contextlib.asynccontextmanager
async def running(
    proxy: str, folder: Path, nodes: Mapping[str, ServerProcess]
) -> AsyncGenerator[str]:
    """Run a proxy and yield its address."""
    port = free_port()
    behind = [Node(name, f"{HERE}:{node.port}") for name, node in nodes.items()]
    text = configuration(proxy, behind, listen=f"{HERE}:{port}", settings=Settings())
    file = folder / proxy
    if proxy == "nginx":
        text = text.replace("http {", "http {\n" + _FOLDERS.format(folder=folder), 1)
        command = ["-e", "stderr", "-c", str(file), "-g", f"daemon off; pid {folder / 'pid'};"]
    else:
        command = ["-db", "-f", str(file)]
    file.write_text(text)
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            _program(proxy), *command, stdout=log, stderr=log
        )
    try:
        url = f"http://{HERE}:{port}"
        await _answers(url, process)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        sys.stdout.write((folder / "log").read_text())  # pytest shows it on failure


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait until it answers; it has no way to say so by itself."""
    async with asyncio.timeout(START_S), aiohttp.ClientSession() as http:
        while True:
            assert process.returncode is None
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get(f"{url}/healthz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.02)


def _program(name: str) -> str:
    found = os.environ.get(f"PARLEY_TEST_{name.upper()}") or shutil.which(name)
    assert found, f"no {name}: run the tests by `make test`, or leave out -m 'not {name}'"
    return found
