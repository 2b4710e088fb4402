"""Log lines name the client and not the proxy before it, where the proxy is trusted."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.links import LINKS
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENT = "203.0.113.7"
CLAIMED = {"X-Forwarded-For": CLIENT}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def behind_a_proxy(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ServerProcess]:
    """Return a server that trusts this machine."""
    env = {"PARLEY_TRUSTED_PROXIES": "127.0.0.0/8"}
    process = await ServerProcess(tmp_path_factory.mktemp("proxied") / "data", env).start()
    yield process
    await process.stop()


@pytest.mark.parametrize("transport", LINKS)
async def test_a_trusted_proxy_is_believed(behind_a_proxy: ServerProcess, transport: str) -> None:
    """The line about a broken packet has the address that the proxy names."""
    assert await _blamed(behind_a_proxy, transport) == CLIENT


@pytest.mark.parametrize("transport", LINKS)
async def test_nobody_else_is_believed(shared_server: ServerProcess, transport: str) -> None:
    """It has the address at the other end of the connection, for anybody can send a header."""
    assert await _blamed(shared_server, transport) == "127.0.0.1"


async def _blamed(server: ServerProcess, transport: str) -> str:
    """Send what is no packet; return the address that the log names."""
    mark = len(server.output)
    async with aiohttp.ClientSession(headers=CLAIMED) as http:
        link = await LINKS[transport](http, f"{server.url}/socket.io/").open()
        await link.send("4x")
        await link.ended()
    line = await server.prints(b"broken protocol", after=mark)
    return line.decode().partition("from ")[2].partition(":")[0]
