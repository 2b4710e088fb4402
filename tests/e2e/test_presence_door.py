"""The door of `/presence` lets in what its schemas say and answers all else (promise 17)."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from parley.namespaces.presence.events import PresenceNamespace
from parley.namespaces.presence.followers import MAX_FOLLOWED
from parley.namespaces.presence.schemas import MAX_LABEL, MAX_USERS
from parley.server.app import running
from parley.server.assembly import Node
from parley.server.settings import Settings
from tests.clients import Refused
from tests.e2e.payloads import JSON, NOT_PLAIN, NOT_SCALAR, Raw, pointer, replaced, text_of, walk
from tests.raw_client import RawClient

ROOM = "6b03d82fcb6048fa857eefb8"
VALID: dict[str, dict[str, Any]] = {
    "set_status": {"status": "away", "invisible": False, "device": "phone", "location": "train"},
    "subscribe": {"user_ids": ["alice", "bob"]},
    "unsubscribe": {"user_ids": ["alice", "bob"], "room_id": ROOM},
    "get": {"user_ids": ["alice", "bob"]},
    "room": {"room_id": ROOM},
}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running(Settings(port=0, data_dir=tmp_path / "data")) as node:
        yield node


@pytest.fixture
async def alice(node: Node) -> AsyncIterator[RawClient]:
    async with aiohttp.ClientSession() as http:
        client = RawClient(http, namespace="/presence")
        token = node.mint.mint("alice", ttl_s=600)
        await client.connect(f"http://127.0.0.1:{node.port}", token)
        await client.event("status")
        yield client
        await client.close()


async def refusal(alice: RawClient, event: str, payload: Any) -> dict[str, Any]:
    """Return the error of an event, which has changed nothing."""
    ack = await alice.ack_text(f'["{event}",{text_of(payload)}]')
    assert ack["ok"] is False, (payload, ack)
    told = [data for name, data in alice.events if name == "status"]
    assert [one["content"]["devices"] for one in told] == [[{"status": "online"}]]
    error: dict[str, Any] = ack["error"]
    return error


def pointers(error: dict[str, Any]) -> list[str]:
    assert error["code"] == "invalid"
    return [each["pointer"] for each in error["details"]["errors"]]


def test_every_event_is_tried() -> None:
    assert set(VALID) == set(PresenceNamespace.events)


@pytest.mark.parametrize("event", VALID)
async def test_what_is_wrong_is_pointed_at(alice: RawClient, event: str) -> None:
    """Each value of a valid payload, replaced by each that is never right there."""
    valid = VALID[event]
    for path, _ in walk(valid):
        for text in NOT_PLAIN.values():
            error = await refusal(alice, event, replaced(valid, path, Raw(text)))
            assert pointers(error)[0].startswith(pointer(path[:1])), (path, text)
        for value in cast("Mapping[str, JSON]", NOT_SCALAR).values():
            error = await refusal(alice, event, replaced(valid, path, value))
            assert pointers(error)[0].startswith(pointer(path[:1])), (path, value)
    error = await refusal(alice, event, {**valid, "surprise": 1})
    assert pointers(error) == ["/surprise"]


@pytest.mark.parametrize(
    ("event", "payload", "pointer"),
    [
        ("set_status", {}, "/status"),
        ("set_status", {"status": "offline"}, "/status"),
        ("set_status", {"status": "invisible"}, "/status"),
        ("set_status", {"status": "away", "invisible": 1}, "/invisible"),
        ("set_status", {"status": "away", "device": "x" * (MAX_LABEL + 1)}, "/device"),
        ("set_status", {"status": "away", "location": "two\nlines"}, "/location"),
        ("subscribe", {}, "/user_ids"),
        ("subscribe", {"user_ids": []}, "/user_ids"),
        ("subscribe", {"user_ids": ["bob", "bob"]}, "/user_ids"),
        ("subscribe", {"user_ids": [f"u{n}" for n in range(MAX_USERS + 1)]}, "/user_ids"),
        ("subscribe", {"user_ids": ["bob", "not a user"]}, "/user_ids/1"),
        ("get", {"user_ids": "bob"}, "/user_ids"),
        ("unsubscribe", {}, "/user_ids"),
        ("room", {"room_id": "Tea"}, "/room_id"),
        ("room", [], ""),
    ],
)
async def test_limits_are_pointed_at(
    alice: RawClient, event: str, payload: Any, pointer: str
) -> None:
    assert pointers(await refusal(alice, event, payload)) == [pointer]


async def test_unknown_things_are_told_so(alice: RawClient) -> None:
    assert (await refusal(alice, "chat", {}))["code"] == "unknown_event"
    assert (await refusal(alice, "room", {"room_id": ROOM}))["code"] == "not_found"


async def test_nobody_follows_more_than_the_limit(alice: RawClient) -> None:
    """Who would follow too many follows none of these; those she follows already do not count."""
    for begin in range(0, MAX_FOLLOWED, MAX_USERS):
        names = [f"user-{number}" for number in range(begin, begin + MAX_USERS)]
        await alice.call("subscribe", user_ids=names)
    with pytest.raises(Refused, match="forbidden"):
        await alice.call("subscribe", user_ids=["user-1", "one-more"])
    await alice.call("subscribe", user_ids=["user-1", "alice"])
    await alice.call("unsubscribe", user_ids=["user-1", "stranger"])
    await alice.call("subscribe", user_ids=["one-more"])
