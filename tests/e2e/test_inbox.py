"""Notifications with a real server and stock clients: live, missed, and from the chat."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests import mongod
from tests.clients import Client, Refused, new_client_id
from tests.conftest import Connect
from tests.e2e.payloads import pointers_of
from tests.namespaces.notification.rule import Inbox
from tests.node_client import Node, NodeClient
from tests.servers import ServerProcess
from tests.storage.stores import NAMES_FOR_LONG, empty_mongo

Publish = Callable[..., Awaitable[Any]]
InboxConnect = Callable[..., Awaitable[Client]]
ADMIN = {"user_id": "root", "roles": ["admin"]}


@pytest.fixture(params=NAMES_FOR_LONG)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Return a running server over each store."""
    settings: dict[str, str] = {}
    if request.param == "mongo":
        async with empty_mongo(mongod.url()) as database:
            settings = {"MONGODB_URL": mongod.url(), "PARLEY_MONGODB_DATABASE": database.name}
    process = await ServerProcess(tmp_path / "data", settings).start()
    yield process
    await process.stop()


@pytest.fixture
async def publish(server: ServerProcess) -> AsyncIterator[Publish]:
    """Return what publishes over HTTP."""
    headers = {"Authorization": f"Bearer {server.token('root', roles=['admin'])}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def publish(**fields: Any) -> Any:
            body = {"title": "Tea", "body": "is ready", **fields}
            url = f"{server.url}/api/v1/notifications"
            async with session.post(url, json=body) as answer:
                assert answer.status in (200, 201, 202), await answer.text()
                return await answer.json()

        yield publish


@pytest.fixture
async def inbox(server: ServerProcess) -> AsyncIterator[InboxConnect]:
    """Return what connects a user to ``/notification`` and waits for her catch-up."""
    clients: list[Client] = []

    async def connect(user_id: str, since: Any = None, *, ready: bool = True) -> Client:
        client = Client("/notification")
        clients.append(client)
        await client.connect(server.url, server.token(user_id), since=since)
        if ready:
            await client.ready()
        return client

    yield connect
    for client in clients:
        await client.close()


class Reader:
    """A client that follows the rule, one event at a time."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.inbox = Inbox()
        self._next = 0

    async def read_on(self) -> None:
        """Take what came; sync where the rule says so."""
        events = self.client.events
        while self._next < len(events):
            name, data = events[self._next]
            self._next += 1
            well = True
            match name:
                case "notification":
                    well = self.inbox.notified(data)
                case "sync":
                    self.inbox.synced(data)
                case "inbox_behind":
                    well = self.inbox.behind()
                case _:
                    pass
            while not well:
                well = self.inbox.synced(await self.client.call("sync", inbox=self.inbox.cursor))

    async def reaches(self, rev: int) -> None:
        """Wait until it has everything up to a position."""
        await self.client.hears(rev)
        await self.read_on()
        assert self.inbox.rev == rev


def titles(notifications: Any) -> list[str]:
    return [one["content"]["title"] for one in notifications]


async def test_it_is_heard_live_on_every_device(publish: Publish, inbox: InboxConnect) -> None:
    devices = [await inbox("alice"), await inbox("alice")]
    other = await inbox("bob")
    await publish(user_ids=["alice"], action="/tea")
    heard = [await device.event("notification") for device in devices]
    assert heard[0] == heard[1]
    assert (heard[0]["seq"], heard[0]["rev"], heard[0]["read"]) == (1, 1, False)
    assert heard[0]["content"] == {"title": "Tea", "body": "is ready", "action": "/tea"}
    assert await devices[0].call("read", ids=[heard[0]["id"]]) == {"read": 1, "unread": 0}
    for device in devices:
        read = await device.event("notification", lambda data: data["read"])
        assert (read["id"], read["rev"]) == (heard[0]["id"], 2)
    assert await devices[1].call("delete", ids=[heard[0]["id"]]) == {"deleted": 1, "unread": 0}
    for device in devices:
        gone = await device.event("notification", lambda data: "deleted" in data)
        assert (gone["content"], gone["rev"]) == ({}, 3)
    assert other.of("notification") == []


async def test_who_comes_without_a_cursor_gets_what_is_unread(
    publish: Publish, inbox: InboxConnect
) -> None:
    """The newest hundred one by one, oldest first; then she is live."""
    for number in range(103):
        await publish(user_ids=["alice"], title=str(number))
    first = await inbox("alice")
    assert titles(first.of("notification")) == [str(n) for n in range(3, 103)]
    [sync] = first.of("sync")
    assert (sync["state"], sync["events"], sync["done"]) == ("ok", [], True)
    assert (sync["unread"], sync["more"]) == (103, False)
    await first.call("read", up_to=101)
    again = await inbox("alice")
    assert titles(again.of("notification")) == ["101", "102"]


async def test_who_comes_with_a_cursor_gets_what_changed(
    publish: Publish, inbox: InboxConnect
) -> None:
    first = await inbox("alice")
    await publish(user_ids=["alice"], title="1")
    await publish(user_ids=["alice"], title="2")
    one = await first.event("notification")
    cursor = (await first.call("sync", inbox=None))["upto"]
    await first.call("read", ids=[one["id"]])
    await publish(user_ids=["alice"], title="3")
    # Also as text, and beside cursors of rooms, as one `auth` for both namespaces has it.
    since = {"inbox": cursor, "0" * 24: "00000000.7"}
    for given in (since, json.dumps(since)):
        again = await inbox("alice", given)
        [sync] = again.of("sync")
        assert (sync["state"], sync["done"], sync["unread"]) == ("ok", True, 2)
        assert [(e["content"]["title"], e["read"]) for e in sync["events"]] == [
            ("1", True),
            ("3", False),
        ]
        assert again.of("notification") == []
    epoch = cursor.partition(".")[0]
    for void in ("00000000.1", f"{epoch}.99"):
        [sync] = (await inbox("alice", {"inbox": void})).of("sync")
        assert (sync["state"], titles(sync["events"])) == ("reset", ["2", "3"])


async def test_five_hundred_while_away_and_a_thousand_while_she_reads(
    server: ServerProcess, publish: Publish, inbox: InboxConnect
) -> None:
    """Complete, in order, once; and what is unread is what a recount finds, at every step."""
    before = await inbox("alice")
    cursor = before.of("sync")[0]["upto"]
    await before.close()
    for number in range(500):
        await publish(user_ids=["alice"], title=str(number))
    reader = Reader(await inbox("alice", {"inbox": cursor}, ready=False))
    second = Reader(await inbox("alice", {"inbox": cursor}, ready=False))

    async def publish_more() -> None:
        for number in range(500, 1_500):
            await publish(user_ids=["alice"], title=str(number))

    publishing = asyncio.create_task(publish_more())
    asked: set[str] = set()  # an ack may be faster than the events that it led to
    read = 0
    while not publishing.done():
        await reader.read_on()
        unread = [n["id"] for n in reader.inbox.listed() if not n["read"]]
        wanted = [one for one in unread if one not in asked][-20:]
        if wanted:
            asked.update(wanted)
            assert (await reader.client.call("read", ids=wanted))["read"] == len(wanted)
            read += len(wanted)
        await asyncio.sleep(0)
    await publishing
    head = 1_500 + read
    for one in (reader, second):
        await one.reaches(head)
        assert titles(one.inbox.listed()) == [str(n) for n in reversed(range(1_500))]
        assert sum(n["read"] for n in one.inbox.listed()) == read
    count = (await reader.client.call("unread_count"))["unread"]
    assert count == min(1_000, 1_500 - read)
    listed: list[Any] = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = await reader.client.call("list", **query)
        listed += page["notifications"]
        if "next" not in page:
            break
        query["cursor"] = page["next"]
    assert listed == second.inbox.listed()
    print(f"read while 1,000 came: {read}; positions: {head}")  # noqa: T201


@pytest.mark.node
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_browsers_client_catches_up_by_itself(
    server: ServerProcess, publish: Publish, transport: str
) -> None:
    """The server is killed; the stock JavaScript client comes back with its cursor."""
    node = await Node().start()
    alice = NodeClient(node, namespace="/notification")
    token = server.token("alice")
    await alice.connect(server.url, token, transports=[transport])
    await alice.ready()
    await publish(user_ids=["alice"], title="live")
    await alice.event("notification", lambda data: data["content"]["title"] == "live")
    cursor = (await alice.call("sync", inbox=None))["upto"]
    alice.identify(token, {"inbox": cursor})
    mark = len(alice.events)
    await server.kill()
    await alice.disconnected.wait()
    await server.start()
    await publish(user_ids=["alice"], title="missed")
    caught_up = await alice.ready(after=mark)
    await publish(user_ids=["alice"], title="live again")
    await alice.event("notification", lambda data: data["content"]["title"] == "live again")
    missed = [*titles(caught_up[-1]["events"]), *titles(alice.of("notification")[1:])]
    assert missed == ["missed", "live again"]
    await alice.close()
    await node.close()


# What the chat becomes


async def test_a_private_message_to_who_is_away_is_a_notification(
    server: ServerProcess, connect: Connect, inbox: InboxConnect
) -> None:
    alice, bell = await connect("alice"), await inbox("bob")
    said = await alice.call("private", to="bob", client_id=new_client_id(), content=_text("hi"))
    told = await bell.event("notification")
    assert told["content"] == {
        "title": "alice",
        "body": "hi",
        "data": {
            "reason": "private",
            "room_id": said["room_id"],
            "message_id": said["id"],
            "seq": said["seq"],
            "from": "alice",
        },
    }
    await connect("bob")
    await alice.call("private", to="bob", client_id=new_client_id(), content=_text("again"))
    await alice.call("delete_message", message_id=said["id"], client_id=new_client_id())
    gone = await bell.event("notification", lambda data: "deleted" in data)
    assert (gone["id"], gone["content"]) == (told["id"], {})
    assert (await bell.call("list"))["notifications"] == []


async def test_what_was_told_goes_on_saying_what_the_message_says(
    connect: Connect, inbox: InboxConnect
) -> None:
    """An edit changes it and tells nobody anew; with the room it ends."""
    alice, bell = await connect("alice"), await inbox("bob")
    made = await alice.call("create_room", name="Tea", type="group", members=["bob"])
    room_id = made["room"]["id"]
    said = await alice.call(
        "chat",
        room_id=room_id,
        client_id=new_client_id(),
        content={"text": "@bob at for", "mentions": ["bob"]},
    )
    told = await bell.event("notification")
    await alice.call(
        "edit_message",
        message_id=said["id"],
        client_id=new_client_id(),
        content={"text": "@bob at four", "mentions": ["bob"]},
    )
    again = await bell.event("notification", lambda data: data["rev"] > data["seq"])
    assert again["content"] == {**told["content"], "body": "@bob at four"}
    assert (again["id"], again["read"]) == (told["id"], False)
    assert (await bell.call("list"))["notifications"][0]["content"] == again["content"]
    assert await bell.call("unread_count") == {"unread": 1}
    await alice.call("delete_room", room_id=room_id, client_id=new_client_id())
    gone = await bell.event("notification", lambda data: "deleted" in data)
    assert (gone["id"], gone["content"]) == (told["id"], {})
    assert (await bell.call("list"))["notifications"] == []


async def test_mentions_reach_who_is_away_and_inside(connect: Connect, inbox: InboxConnect) -> None:
    """Nobody is told what she hears by herself, what is not for her, or what she has muted."""
    alice, bob = await connect("alice"), await connect("bob")
    made = await alice.call(
        "create_room", name="Tea", type="group", members=["bob", "carol", "erin"]
    )
    room_id = made["room"]["id"]
    bells = {name: await inbox(name) for name in ("alice", "bob", "carol", "erin", "eve")}
    await bells["erin"].call("mute", room_id=room_id, muted=True)

    async def say(client: Client, text: str, *mentions: str) -> None:
        content = {"text": text, "mentions": list(mentions)}
        await client.call("chat", room_id=room_id, client_id=new_client_id(), content=content)

    everyone = ("alice", "bob", "carol", "erin", "eve")
    await say(alice, "1", *everyone)
    await say(alice, "2")
    await say(bob, "3", "@room")
    await say(alice, "4", "@room")
    last = await bells["carol"].event("notification", lambda data: data["content"]["body"] == "4")
    assert (last["seq"], last["content"]["title"]) == (2, "alice · Tea")
    assert last["content"]["data"]["reason"] == "mention"
    await bells["erin"].call("mute", room_id=room_id, muted=False)
    await say(alice, "5", "erin")
    told = await bells["erin"].event("notification")
    assert told["content"]["body"] == "5"
    for name in ("alice", "bob", "eve"):
        assert await bells[name].call("unread_count") == {"unread": 0}


async def test_a_mute_is_known_on_the_other_devices(connect: Connect, inbox: InboxConnect) -> None:
    made = await (await connect("alice")).call("create_room", name="Tea", type="group")
    room = {"room_id": made["room"]["id"]}
    one, other = await inbox("alice"), await inbox("alice")
    assert await one.call("mute", **room, muted=True) == {**room, "muted": True}
    assert await other.event("mute") == {**room, "muted": True}
    assert (await inbox("alice")).of("sync")[0]["muted_rooms"] == [room["room_id"]]
    assert one.of("mute") == []
    with pytest.raises(Refused, match="not_found"):
        await (await inbox("bob")).call("mute", **room, muted=True)
    assert await one.call("mute", room_id="0" * 24, muted=False) == {
        "room_id": "0" * 24,
        "muted": False,
    }


async def test_who_is_sent_away_leaves_every_namespace(
    server: ServerProcess, inbox: InboxConnect
) -> None:
    bell = await inbox("alice")
    headers = {"Authorization": f"Bearer {server.token('root', roles=['admin'])}"}
    url = f"{server.url}/api/v1/connections/users/alice"
    async with aiohttp.ClientSession() as session, session.delete(url, headers=headers) as answer:
        assert await answer.json() == {"sockets": 1}
    await bell.event("system", lambda data: data["code"] == "revoked")
    await bell.disconnected.wait()


# What is wrong


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("list", {"limit": 0}, "/limit"),
    ("list", {"limit": 201}, "/limit"),
    ("list", {"cursor": "no-cursor"}, "/cursor"),
    ("list", {"unread": 1}, "/unread"),
    ("read", {}, "/ids"),
    ("read", {"ids": ["x"]}, "/ids/0"),
    ("read", {"ids": {"$gt": ""}}, "/ids"),
    ("read", {"up_to": 1.5}, "/up_to"),
    ("read", {"up_to": 2**63}, "/up_to"),
    ("read", {"all": True, "up_to": 1}, "/ids"),
    ("delete", {}, "/ids"),
    ("delete", {"ids": ["0" * 24] * 201}, "/ids"),
    ("delete", {"ids": [{"$ne": None}]}, "/ids/0"),
    ("mute", {"room_id": "x", "muted": True}, "/room_id"),
    ("mute", {"room_id": "0" * 24}, "/muted"),
    ("sync", {}, "/inbox"),
    ("sync", {"inbox": "x"}, "/inbox"),
    ("sync", {"inbox": {"$gt": ""}}, "/inbox"),
    ("unread_count", {"room_id": "0" * 24}, "/room_id"),
    ("unread_count", {"a": "\0"}, "/a"),
]


async def test_a_wrong_payload_is_pointed_at(inbox: InboxConnect) -> None:
    alice = await inbox("alice")
    for event, payload, pointer in WRONG:
        with pytest.raises(Refused) as refused:
            await alice.call(event, **payload)
        assert (refused.value.code, pointers_of(dict(refused.value.error))) == (
            "invalid",
            [pointer],
        )
    assert (await alice.call("sync", inbox=None))["upto"].endswith(".0")


async def test_an_unknown_event_is_told_so(inbox: InboxConnect) -> None:
    alice = await inbox("alice")
    for event in ("notification", "publish", "chat", "listed", "connect"):
        ack = await alice.ack(event, {})
        assert ack["error"]["code"] == "unknown_event"


@pytest.mark.parametrize("since", [{"inbox": "x"}, {"inbox": 5}, [], "no JSON", 5])
async def test_a_wrong_cursor_is_refused(server: ServerProcess, since: Any) -> None:
    client = Client("/notification")
    with pytest.raises(Exception, match=r".*"):
        await client.connect(server.url, server.token("alice"), since=since)
    refused = await client.event("@connect_error")
    assert refused["data"]["code"] == "invalid"
    assert pointers_of(refused["data"])[0].startswith("/since")
    await client.close()


def _text(text: str) -> dict[str, str]:
    return {"text": text}
