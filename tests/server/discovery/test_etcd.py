"""A node of ours in a real etcd: entered, gone, and back after each fault."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.closed_ports import ClosedPort
from tests.etcd import EtcdServer, Nodes
from tests.servers import ServerProcess

pytestmark = pytest.mark.etcd

PREFIX = "/chat/nodes"
KEY = f"{PREFIX}/n1"


@pytest.fixture
def etcd() -> Iterator[EtcdServer]:
    server = EtcdServer()
    yield server
    server.close()


@pytest.fixture
async def node(tmp_path: Path, etcd: EtcdServer) -> AsyncIterator[ServerProcess]:
    settings = {
        "PARLEY_DISCOVERY_URL": f"etcd://127.0.0.1:{etcd.port}{PREFIX}",
        "PARLEY_NODE": "n1",
    }
    process = ServerProcess(tmp_path / "data", env=settings)
    yield process
    await process.stop()


async def test_a_node_is_entered_with_its_check_and_leaves(
    etcd: EtcdServer, node: ServerProcess
) -> None:
    etcd.start()
    await node.start()
    [entry] = (await etcd.shows(PREFIX, _listed)).values()
    check = f"{node.url}/readyz"
    assert entry == {"name": "n1", "address": "127.0.0.1", "port": node.port, "check": check}
    assert await _status(entry["check"]) == 200
    assert await node.stop() == 0
    assert not await etcd.nodes(PREFIX)


@pytest.mark.slow  # as long as a lease
async def test_a_node_that_was_killed_is_gone_when_its_lease_ends(
    etcd: EtcdServer, node: ServerProcess
) -> None:
    etcd.start()
    await node.start()
    await etcd.shows(PREFIX, _listed)
    await node.kill()
    assert await etcd.nodes(PREFIX)
    await etcd.shows(PREFIX, lambda nodes: not nodes)


async def test_a_node_whose_lease_has_ended_is_entered_again(
    etcd: EtcdServer, node: ServerProcess
) -> None:
    etcd.start()
    await node.start()
    await etcd.shows(PREFIX, _listed)
    await etcd.revoke_all()
    assert not await etcd.nodes(PREFIX)
    await etcd.shows(PREFIX, _listed)


@pytest.mark.slow  # the node tries less and less often
async def test_a_node_serves_without_etcd_and_is_entered_when_it_comes(
    etcd: EtcdServer, node: ServerProcess
) -> None:
    async with ClosedPort.on(etcd.port) as closed:
        await node.start()
        await closed.tried(3)
        assert await _status(f"{node.url}/readyz") == 200
    etcd.start()
    await etcd.shows(PREFIX, _listed)
    assert _warnings(node) == 1


@pytest.mark.slow
@pytest.mark.parametrize("with_its_data", [True, False], ids=["kept", "lost"])
async def test_a_node_is_back_after_etcd_was_away(
    etcd: EtcdServer, node: ServerProcess, *, with_its_data: bool
) -> None:
    etcd.start()
    await node.start()
    await etcd.shows(PREFIX, _listed)
    etcd.kill()
    if not with_its_data:
        etcd.forget()
    async with ClosedPort.on(etcd.port) as closed:
        await closed.tried(3)
        assert await _status(f"{node.url}/readyz") == 200
        said = len(node.output)
    etcd.start()
    await etcd.shows(PREFIX, _listed)
    await node.prints(b"discovery", b"lists this node as n1", after=said)
    assert _warnings(node) == 1
    await node.stop()
    assert not await etcd.nodes(PREFIX)


async def test_a_node_stops_at_once_without_etcd(node: ServerProcess) -> None:
    await node.start()
    await node.prints(b"discovery", b"trying again")
    assert await node.stop() == 0


def _listed(nodes: Nodes) -> bool:
    return set(nodes) == {KEY}


def _warnings(node: ServerProcess) -> int:
    return sum(b"WARNING" in line and b"discovery" in line for line in node.output)


async def _status(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return response.status
