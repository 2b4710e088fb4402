"""A node of ours at a Consul agent: entered, gone, and back after the agent lost it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from parley.server.discovery.consul import Consul
from parley.server.discovery.registry import Listing, RegistryUnavailable
from tests.consul_agent import ConsulAgent
from tests.receivers import Receiver
from tests.servers import ServerProcess

TOKEN = "5b1e4e0c-secret-of-the-agent"
ID = "chat-n1"
LISTING = Listing(name="n1", host="10.0.0.5", port=8080)


@pytest.fixture
async def agent() -> AsyncIterator[ConsulAgent]:
    async with ConsulAgent.running(TOKEN) as agent:
        yield agent


def _node(agent: ConsulAgent, data_dir: Path, **settings: str) -> ServerProcess:
    url = f"consul://127.0.0.1:{agent.port}/chat?token={TOKEN}"
    env = {"PARLEY_DISCOVERY_URL": url, "PARLEY_NODE": "n1", "PARLEY_LOG_LEVEL": "debug"}
    return ServerProcess(data_dir, env=env | settings)


async def test_a_node_is_entered_with_a_check_that_passes_and_leaves(
    agent: ConsulAgent, tmp_path: Path
) -> None:
    node = await _node(agent, tmp_path).start()
    [service] = (await agent.shows(bool)).values()
    assert service["Name"] == "chat"
    assert (service["Address"], service["Port"]) == ("127.0.0.1", node.port)
    assert service["Check"]["HTTP"] == f"{node.url}/readyz"
    # Consul takes no less, and without it a node that was killed would stay for ever.
    assert service["Check"]["DeregisterCriticalServiceAfter"] == "1m"
    assert await agent.check(ID) == "passing"
    await node.prints(b"discovery: consul at 127.0.0.1", b"lists this node as n1")
    assert await node.stop() == 0
    assert not agent.services
    assert TOKEN.encode() not in b"".join(node.output)


async def test_others_are_told_the_address_that_is_advertised(
    agent: ConsulAgent, tmp_path: Path
) -> None:
    advertised = {"PARLEY_HOST": "127.0.0.1", "PARLEY_ADVERTISE": "[fd00::5]:443"}
    node = await _node(agent, tmp_path, **advertised).start()
    [service] = (await agent.shows(bool)).values()
    assert (service["Address"], service["Port"]) == ("fd00::5", 443)
    assert service["Check"]["HTTP"] == "http://[fd00::5]:443/readyz"
    await node.stop()


async def test_a_refusal_is_logged_without_the_token(tmp_path: Path) -> None:
    async with ConsulAgent.running("another token") as agent:
        node = await _node(agent, tmp_path).start()
        await node.prints(b"discovery", b"403 Permission denied", b"trying again")
        await node.stop()
    assert TOKEN.encode() not in b"".join(node.output)


async def test_a_node_that_the_agent_lost_is_entered_again(agent: ConsulAgent) -> None:
    async with _session(agent) as session:
        consul = Consul(session, "chat")
        await consul.keep(LISTING)
        await consul.keep(LISTING)
        assert agent.registrations == 1  # a second one would begin its check anew
        agent.services.clear()
        await consul.keep(LISTING)
        assert list(agent.services) == [ID]


async def test_what_a_killed_process_has_left_is_replaced(agent: ConsulAgent) -> None:
    async with _session(agent) as session:
        await Consul(session, "chat").keep(Listing(name="n1", host="10.0.0.4", port=80))
        await Consul(session, "chat").keep(LISTING)
    assert agent.services[ID]["Address"] == "10.0.0.5"


async def test_something_else_than_consul_is_no_place_for_a_node() -> None:
    async with Receiver.running() as other, _session(other) as session:
        with pytest.raises(RegistryUnavailable, match="register was answered 405"):
            await Consul(session, "chat").keep(LISTING)


def _session(agent: ConsulAgent | Receiver) -> aiohttp.ClientSession:
    headers = {"X-Consul-Token": TOKEN}
    return aiohttp.ClientSession(f"http://127.0.0.1:{agent.port}", headers=headers)
