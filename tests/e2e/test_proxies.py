"""Several nodes behind a real nginx or HAProxy: sessions stay with their node, without cookies.

The nodes have nothing in common here but their keys; what they tell one another is not of proxies.
"""

import asyncio
import contextlib
import itertools
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from parley.server.proxies.configuration import PROXIES
from tests.balancers import Cluster
from tests.clients import ChatClient, Client, Lost, new_user
from tests.e2e.stock import TRANSPORTS
from tests.links import LINKS, Closed, Link, PollingLink, packets_in
from tests.node_client import Node, NodeClient

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.node,
    pytest.mark.timeout(120),
]

NODES = {"n1", "n2", "n3"}
EACH = 9  # clients of each library over each transport: 54 together
PATIENCE_S = 5.0  # of python-socketio's client with a handshake; socket.io-client has 20
AT_ONCE_S = 1.5
BACK_S = 20.0  # what socket.io-client waits for an answer, before it tries again


@dataclass(frozen=True)
class Crowd:
    """Stock clients of every library over every transport."""

    clients: Sequence[ChatClient]

    @classmethod
    @contextlib.asynccontextmanager
    async def come(cls, cluster: Cluster, node: Node, each: int) -> AsyncGenerator["Crowd"]:
        """Connect them all at once; at the end they leave."""
        ways = [way for way in TRANSPORTS.values() for _ in range(each)]
        clients: list[tuple[ChatClient, list[str]]] = []
        for transports in ways:
            clients.append((NodeClient(node), transports))
            clients.append((Client(reconnection=True), transports))
        await asyncio.gather(*(_enter(cluster, *client) for client in clients))
        try:
            yield cls([client for client, _ in clients])
        finally:
            await asyncio.gather(*(client.close() for client, _ in clients))

    def at(self, name: str) -> list[ChatClient]:
        """Return those whose session is at a node."""
        return [client for client in self.clients if at(client) == name]

    async def ask(self, times: int) -> None:
        """Let each of them ask something, which over polling takes several requests."""
        for _ in range(times):
            await asyncio.gather(*(client.call("rooms") for client in self.clients))


async def _enter(cluster: Cluster, client: ChatClient, transports: list[str]) -> None:
    await client.connect(cluster.url, cluster.token(new_user("ann")), transports=transports)
    await client.ready()
    if isinstance(client, NodeClient) and len(transports) > 1:
        await client.event("@upgrade")


def at(client: ChatClient) -> str:
    """Return the name of the node that a client was let in by last."""
    told = [data["server_id"] for data in client.of("system") if data["code"] == "connected"]
    name: str = told[-1].partition("-")[0]
    return name


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in PROXIES],
)
async def shared_cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Cluster]:
    """Return three nodes behind one of the proxies."""
    drains = {name: {"PARLEY_DRAIN_MS": "4000"} for name in NODES}
    folder = tmp_path_factory.mktemp("cluster")
    async with Cluster.behind(request.param, folder, drains) as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def cluster(shared_cluster: Cluster) -> AsyncGenerator[Cluster]:
    """Return it with all its nodes, as far as the proxy knows, too."""
    async with asyncio.timeout(BACK_S), aiohttp.ClientSession() as http:
        while await _asked(shared_cluster, http) != NODES:
            pass
    yield shared_cluster
    for server in shared_cluster.nodes.values():
        if not server.runs:
            await server.start()


async def test_sessions_stay_with_their_node(cluster: Cluster, node: Node) -> None:
    """Nobody loses a session when many come at once, and all nodes get some of them."""
    async with Crowd.come(cluster, node, EACH) as crowd:
        await crowd.ask(5)
        assert not [client for client in crowd.clients if client.of("@disconnect")]
        share = Counter(at(client) for client in crowd.clients)
        assert set(share) == NODES
        assert min(share.values()) > len(crowd.clients) // 10, share


ENDS = {"SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}


@pytest.mark.slow
@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
async def test_who_was_at_a_node_that_goes_comes_back_at_another(
    cluster: Cluster, how: signal.Signals, node: Node
) -> None:
    """By itself, and nobody else notices; when the node is back it gets its part of the new."""
    async with Crowd.come(cluster, node, 3) as crowd:
        moved = crowd.at("n1")
        others = [client for client in crowd.clients if client not in moved]
        assert moved
        marks = [len(client.events) for client in moved]
        if how is signal.SIGTERM:
            stopping = asyncio.create_task(cluster.nodes["n1"].stop())
            await asyncio.gather(*(_talks_to_the_end(client) for client in moved))
            assert await stopping == 0
        else:
            await cluster.nodes["n1"].kill()
        async with asyncio.timeout(BACK_S):
            for client, mark in zip(moved, marks, strict=True):
                await client.event("@connect", after=mark)
                await client.event("sync", lambda data: data["done"], after=mark)
        assert {at(client) for client in moved} <= {"n2", "n3"}
        await crowd.ask(2)
        for client, mark in zip(moved, marks, strict=True):
            ends = [name for name, _ in client.events[mark:] if name == "@disconnect"]
            assert ends == ["@disconnect"]  # once is enough
            if how is signal.SIGTERM:
                said = [data for name, data in client.events[mark:] if name == "system"]
                assert said[0]["code"] == "draining"
        assert not any(client.of("@disconnect") for client in others)
        await cluster.nodes["n1"].start()
        await _gets_new_sessions(cluster, "n1")


async def _talks_to_the_end(client: ChatClient) -> None:
    """Ask and ask, also when the proxy knows already that the node stops."""
    with contextlib.suppress(Lost):
        while client.of("system")[-1]["code"] == "connected":
            await client.ack("rooms", {})


async def _gets_new_sessions(cluster: Cluster, name: str) -> None:
    async with asyncio.timeout(BACK_S), aiohttp.ClientSession() as http:
        while not (await _session(cluster, http)).opened["sid"].startswith(f"{name}."):
            pass


async def _session(cluster: Cluster, http: aiohttp.ClientSession, kind: str = "polling") -> Link:
    return await LINKS[kind](http, f"{cluster.url}/socket.io/").open()


async def test_a_phone_that_changes_its_address_keeps_its_session(cluster: Cluster) -> None:
    """Each request comes over a connection of its own, from another address."""
    async with aiohttp.ClientSession() as http:
        link = await _session(cluster, http)
        for number, last in enumerate(itertools.islice(itertools.cycle(range(2, 8)), 20)):
            connector = aiohttp.TCPConnector(local_addr=(f"127.0.0.{last}", 0), force_close=True)
            async with aiohttp.ClientSession(connector=connector) as link.http:
                if number == 0:
                    await link.send('40/chat,{"token":"' + cluster.token("ann") + '"}')
                await link.send(f'42/chat,{number}["rooms"]')
                await _hears(link, f"43/chat,{number}")


async def _hears(link: Link, start: str) -> str:
    while not str(packet := await link.receive()).startswith(start):
        pass
    return str(packet)


@pytest.mark.parametrize("kind", LINKS)
async def test_a_node_knows_where_its_clients_are(cluster: Cluster, kind: str) -> None:
    """The address that the proxy saw, and not the one that the client claims."""
    claimed = {"X-Forwarded-For": "203.0.113.7"}
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=connector, headers=claimed) as http:
        link = await _session(cluster, http, kind)
        name = link.opened["sid"].partition(".")[0]
        await link.send("4x")
        assert b"from 127.0.0.2:" in await cluster.nodes[name].prints(b"broken protocol")


async def test_bodies_go_through_up_to_the_limit_and_no_cookie_is_set(cluster: Cluster) -> None:
    """A POST of nearly PARLEY_MAX_PAYLOAD arrives, one beyond it is refused."""
    async with aiohttp.ClientSession() as http:
        link = await _session(cluster, http)
        assert isinstance(link, PollingLink)
        await link.send('40/chat,{"token":"' + cluster.token("ann") + '"}')
        await link.send('42/chat,1["chat",{"text":"' + "a" * 990_000 + '"}]')
        assert '"too_large"' in await _hears(link, "43/chat,1")
        assert (await link.post(b"4" + b"a" * 1_000_000))[0] == 413
        assert list(http.cookie_jar) == []


async def test_a_post_is_never_sent_twice(cluster: Cluster) -> None:
    """Where its node dies over it, its client hears so, and no other node hears of it."""
    async with aiohttp.ClientSession() as http:
        link = await _session(cluster, http)
        assert isinstance(link, PollingLink)
        node = cluster.nodes[link.opened["sid"].partition(".")[0]]
        node.send_signal(signal.SIGSTOP)
        posting = asyncio.create_task(link.post(b"4" + b"a" * 5_000))
        await node.is_sent(5_000)  # more than a health check
        await node.kill()
        with contextlib.suppress(aiohttp.ServerDisconnectedError):
            status, _ = await posting
            assert status in (502, 503, 504)  # another node would have said 400


async def test_the_proxy_logs_no_id_of_a_session(cluster: Cluster) -> None:
    """Not where all is well, not where a node ends over a request, and not when it is gone."""
    async with aiohttp.ClientSession() as http:
        link = await _session(cluster, http)
        assert isinstance(link, PollingLink)
        await link.send('40/chat,{"token":"' + cluster.token("ann") + '"}')
        await _hears(link, "40/chat")
        name, _, secret = link.opened["sid"].partition(".")
        polling = asyncio.create_task(_ends(link))
        await cluster.nodes[name].kill()
        await polling
        await _ends(link)
    assert secret not in cluster.log.read_text()


async def _ends(link: PollingLink) -> None:
    with contextlib.suppress(aiohttp.ServerDisconnectedError):
        while (await link.poll())[0] == 200:
            pass


@pytest.mark.slow
async def test_a_node_that_hangs_gets_nothing_new(cluster: Cluster) -> None:
    """Who comes is let in elsewhere, after some seconds at once."""
    cluster.nodes["n2"].send_signal(signal.SIGSTOP)
    try:
        await _all_elsewhere(cluster, "n2")
    finally:
        cluster.nodes["n2"].send_signal(signal.SIGCONT)


async def _all_elsewhere(cluster: Cluster, name: str) -> None:
    """Come until ten in a row are let in at once, none of them at this node."""
    in_a_row = 0
    async with asyncio.timeout(2 * BACK_S):
        while in_a_row < 10:
            started = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE_S):
                    sid = (await _session(cluster, http)).opened["sid"]
                    assert not sid.startswith(f"{name}.")
            in_a_row = in_a_row + 1 if time.monotonic() - started < AT_ONCE_S else 0


async def test_what_belongs_to_no_session_goes_to_nodes_that_are_well(cluster: Cluster) -> None:
    """Page and API are asked of all nodes, and of none that is gone."""
    async with aiohttp.ClientSession() as http:
        assert await _asked(cluster, http) == NODES
        await cluster.nodes["n2"].kill()
        assert await _asked(cluster, http) == NODES - {"n2"}


@pytest.mark.haproxy
async def test_where_no_node_is_ready_they_answer_for_themselves(tmp_path: Path) -> None:
    """A request is not turned away by HAProxy when all miss what they have in common."""
    async with Cluster.behind("haproxy", tmp_path) as cluster, aiohttp.ClientSession() as http:
        for node in cluster.nodes.values():
            with contextlib.closing(sqlite3.connect(node.data_dir / "parley.sqlite3")) as storage:
                storage.execute("ALTER TABLE users RENAME TO away")
        for backend in ("sessions", "others"):
            await cluster.says(f"backend {backend} has no server available")
        async with http.get(f"{cluster.url}/readyz") as response:
            assert (await response.json())["checks"]["storage"] == "unavailable"
        link = await _session(cluster, http)
        await link.send("40/chat,")  # without a token
        await _hears(link, "44/chat")


async def _asked(cluster: Cluster, http: aiohttp.ClientSession) -> Collection[str]:
    names: set[str] = set()
    for _ in range(30):
        async with http.get(f"{cluster.url}/healthz") as response:
            assert response.status == 200
            names.add((await response.json())["server_id"].partition("-")[0])
    return names


@pytest.mark.parametrize(
    "proxy", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in PROXIES]
)
async def test_a_full_node_passes_new_sessions_on(proxy: str, tmp_path: Path) -> None:
    """Who is new is let in where there is room, and who is there goes on."""
    settings = {"n1": {"PARLEY_MAX_CONNECTIONS": "4"}, "n2": {"PARLEY_MAX_CONNECTIONS": "4"}}
    async with (
        Cluster.behind(proxy, tmp_path, settings) as cluster,
        aiohttp.ClientSession() as http,
    ):
        refused: list[str] = []
        async with asyncio.timeout(BACK_S):
            links = [await _let_in(cluster, http, refused) for _ in range(24)]
        # HAProxy asks two others when one is full, and may not know yet of the second either.
        assert proxy == "haproxy" or not refused
        share = Counter(link.opened["sid"].partition(".")[0] for link in links)
        assert share == {"n1": 4, "n2": 4, "n3": 16}
        for link in links:
            await link.send('40/chat,{"token":"' + cluster.token("ann") + '"}')
            await _hears(link, "40/chat")


async def _let_in(cluster: Cluster, http: aiohttp.ClientSession, refused: list[str]) -> Link:
    """Try until there is a session, as clients do."""
    while True:
        try:
            return await _session(cluster, http, "websocket")
        except aiohttp.WSServerHandshakeError as error:
            if error.status != 503:
                raise
            refused.append(error.message)


@pytest.mark.parametrize("kind", LINKS)
async def test_who_has_a_session_nobody_knows_begins_anew(cluster: Cluster, kind: str) -> None:
    """400, or 502 where its node does not answer: stock clients take both for a lost session."""
    async with aiohttp.ClientSession() as http:
        link = await _session(cluster, http, kind)
        await cluster.nodes[link.opened["sid"].partition(".")[0]].kill()
        with pytest.raises(Closed):
            await link.receive()
        polling = PollingLink(http, f"{cluster.url}/socket.io/")
        for sid in (link.opened["sid"], "gone.AAAA", "AAAA"):
            polling.url = polling.url.update_query(sid=sid)
            async with asyncio.timeout(3):
                status, body = await polling.poll()
            assert status in (400, 502), packets_in(body)
