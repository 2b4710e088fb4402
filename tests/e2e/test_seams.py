"""The seams of the chat: what a limit, a filter and notifications are asked, by both doors."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from parley.namespaces.chat.assembly import assemble
from parley.namespaces.chat.seams import Seams
from parley.namespaces.errors import RateLimited, RejectedContent
from parley.server import assembly
from parley.storage.models import JSON, Membership, Message, Room, UserId
from tests.clients import new_client_id
from tests.e2e.door import Door
from tests.server.http.conftest import Answer

RUDE, WORST = "darn", "damn"


class Recorder:
    """Notes what it is asked; masks one word and rejects another, and a limit to set."""

    def __init__(self) -> None:
        self.limited: list[tuple[str, str]] = []
        self.notified: list[tuple[str, set[str], str]] = []  # room, members, message
        self.closed = False  # whether all is too much

    async def limit(self, user_id: UserId, action: str) -> None:
        self.limited.append((user_id, action))
        if self.closed:
            raise RateLimited("too many")

    def filter(self, content: JSON) -> JSON:
        text = content.get("text", "")
        if WORST in text:
            raise RejectedContent("not here")
        return {**content, "text": text.replace(RUDE, "****")} if RUDE in text else content

    def notify(self, room: Room, members: Mapping[UserId, Membership], message: Message) -> None:
        self.notified.append((room.id, set(members), message.id))

    def clear(self) -> None:
        self.limited.clear()
        self.notified.clear()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest_asyncio.fixture
async def door(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Door]:
    """Return a server whose chat is assembled with the recorder, whatever else takes part there."""
    seams = Seams(limit=recorder.limit, filter=recorder.filter, notify=recorder.notify)

    def recorded(*storage: Any, **options: Any) -> Any:
        return assemble(*storage, **{**options, "seams": seams})

    monkeypatch.setattr(assembly, "assemble_chat", recorded)
    async with Door.open(tmp_path) as door:
        recorder.clear()
        yield door


def requests(door: Door, text: str) -> dict[str, dict[str, Any]]:
    """Return one request of every event that the seams take part in, which say a text."""
    content = {"content": {"text": text}}
    said = {"room_id": door.room_id, **content}
    return {
        "chat": {**said, "client_id": new_client_id()},
        "group": {**said, "client_id": new_client_id()},
        "private": {"to": "bob", **content, "client_id": new_client_id()},
        "edit_message": {"message_id": door.mine, **content, "client_id": new_client_id()},
        "react": door.valid("react"),
        "delete_message": door.valid("delete_message"),
        "typing": door.valid("typing"),
        "signal": door.valid("signal"),
    }


async def stored(door: Door, room_id: str) -> list[str]:
    """Return what a room keeps of what people said."""
    history = await door.alice.call("history", room_id=room_id)
    return [m["content"]["text"] for m in history["messages"] if "text" in m["content"]]


async def test_the_limit_counts_each_event_by_its_name(door: Door, recorder: Recorder) -> None:
    """Once, and before anything happens: what is too much does nothing."""
    for event, payload in requests(door, "hello").items():
        recorder.clear()
        recorder.closed = True
        assert (await door.refusal(event, payload))["code"] == "rate_limited", event
        recorder.closed = False
        await door.alice.call(event, **payload)
        assert recorder.limited == [("alice", event)] * 2


async def test_what_the_filter_masks_is_what_is_kept(door: Door) -> None:
    asked = requests(door, f"{RUDE} it")
    for event in ("chat", "group"):
        before = len(door.bob.events)
        await door.alice.call(event, **asked[event])
        heard = await door.bob.event(event, after=before)
        assert heard["content"]["text"] == "**** it"
    private = await door.alice.call("private", **asked["private"])
    changed = await door.alice.call("edit_message", **asked["edit_message"])
    assert changed["message"]["content"]["text"] == "**** it"
    assert await stored(door, door.room_id) == ["**** it", "his", "**** it", "**** it"]
    assert await stored(door, private["room_id"]) == ["**** it"]


@pytest.mark.parametrize("event", ["chat", "group", "private", "edit_message"])
async def test_what_the_filter_rejects_is_not_kept(
    door: Door, recorder: Recorder, event: str
) -> None:
    """Nothing is: no direct room appears for a first message that there is not."""
    error = await door.refusal(event, requests(door, f"{WORST} it")[event])
    assert error["code"] == "rejected_content"
    assert recorder.notified == []


async def test_each_message_is_notified_of_once(door: Door, recorder: Recorder) -> None:
    """Not its retries, and no changes of messages."""
    for event, payload in requests(door, "hello").items():
        recorder.clear()
        told = await door.alice.call(event, **payload)
        if event in ("chat", "group", "private"):
            room_id = told.get("room_id", door.room_id)
            assert recorder.notified == [(room_id, {"alice", "bob"}, told["id"])]
            recorder.clear()
            assert (await door.alice.call(event, **payload))["duplicate"]
        assert recorder.notified == []


@pytest.mark.parametrize("kind", ["chat", "group"])
async def test_over_http_it_is_the_same(door: Door, recorder: Recorder, kind: str) -> None:
    alice = door.caller()

    async def post(text: str, key: str) -> Answer:
        body = {"type": kind, "content": {"text": text}}
        path, headers = f"/messages/rooms/{door.room_id}", {"Idempotency-Key": key}
        return await alice("POST", path, json=body, headers=headers)

    key = new_client_id()
    told, again = await post(f"{RUDE} it", key), await post(f"{RUDE} it", key)
    assert (told.status, again.status) == (201, 200)
    assert recorder.limited == [("alice", kind)] * 2
    assert recorder.notified == [(door.room_id, {"alice", "bob"}, told.body["id"])]
    assert (await post(f"{WORST} it", new_client_id())).code == "rejected_content"
    recorder.closed = True
    assert (await post("hello", new_client_id())).code == "rate_limited"
    recorder.closed = False
    assert await stored(door, door.room_id) == ["mine", "his", "**** it"]
    assert len(recorder.notified) == 1
