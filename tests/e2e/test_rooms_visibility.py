"""What was before her time does not exist for a member; what is too old, for nobody."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from parley.storage.models import RoomId, RoomType, Timestamp, UserId
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.rooms import SqliteRooms
from tests.clients import Client, new_client_id
from tests.e2e.people import Person
from tests.e2e.stock import Enter, both_languages
from tests.servers import ServerProcess
from tests.storage.drafts import a_room, edited, founding, said

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 24 * 3_600_000


@pytest.fixture
def server(shared_server: ServerProcess) -> ServerProcess:
    return shared_server


@both_languages
async def test_what_was_before_her_time_is_not_there(enter: Enter) -> None:
    """Not in the history, not in a sync, not to reply to, and changes of it are `skip`."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    room_id = await alice.make(carol, kind="private")
    secret = await carol.say(room_id, "secret")
    await alice.do("invite", room_id, bob)
    joined = await bob.call("join_room", room_id)
    floor = joined["membership"]["visible_from_seq"]
    assert floor == joined["sync"]["floor_seq"] == joined["sync"]["head"]
    pages: list[dict[str, int]] = [{}, {"before": floor}, {"after": 0}, {"around": secret["seq"]}]
    for page in pages:
        rows = (await bob.call("history", room_id, **page))["messages"]
        assert [row["seq"] for row in rows] == ([] if page.get("before") else [floor])
    last = await bob.call("history", room_id, limit=1)
    assert ([row["seq"] for row in last["messages"]], last["more"]) == ([floor], False)
    epoch = joined["sync"]["upto"].partition(".")[0]
    for cursor in (None, f"{epoch}.0", f"{epoch}.{secret['rev']}"):
        part = (await bob.io.call("sync", rooms={room_id: cursor}))["rooms"][room_id]
        assert part["floor_seq"] == floor
        assert [row["seq"] for row in part["events"]] in ([], [floor])
    (mine,) = (await bob.io.call("rooms"))["rooms"]
    assert (mine["unread"], "last_message" in mine) == (0, False)

    reply = {"text": "what?", "reply_to": secret["id"]}
    payload = {"room_id": room_id, "client_id": new_client_id(), "content": reply}
    ack = await bob.io.ack("chat", payload)
    assert [e["pointer"] for e in ack["error"]["details"]["errors"]] == ["/content/reply_to"]
    about = {"message_id": secret["id"], "client_id": new_client_id()}
    changes: dict[str, dict[str, Any]] = {
        "react": {"emoji": "👍", "on": True},
        "edit_message": {"content": {"text": "mine"}},
        "delete_message": {},
    }
    for event, more in changes.items():
        assert await bob.refused(event, **about, **more) == "not_found", event

    content = {"text": "still secret"}
    await carol.io.call("edit_message", **about, content=content)
    await alice.io.call("react", **{**about, "client_id": new_client_id()}, emoji="👍", on=True)
    spoken = await alice.say(room_id, "hello, bob")
    live = await bob.hears_text(room_id, "hello, bob")
    skipped = [spoken["rev"] - 2, spoken["rev"] - 1]
    assert bob.heard(room_id, "skip") == [{"room_id": room_id, "rev": rev} for rev in skipped]
    assert "prev" not in live
    assert [row["rev"] for row in bob.heard(room_id, "chat")] == [spoken["rev"]]
    assert (await carol.hears("chat", room_id, lambda m: m["rev"] == skipped[1]))["reactions"]
    part = (await bob.io.call("sync", rooms={room_id: joined["sync"]["upto"]}))["rooms"][room_id]
    assert [row["seq"] for row in part["events"]] == [spoken["seq"]]
    assert part["upto"] == f"{epoch}.{spoken['rev']}"


@both_languages
async def test_a_new_membership_begins_anew(enter: Enter) -> None:
    """Who comes back sees nothing of before, also of her own, and an old cursor says nothing."""
    alice, bob = await Person.come(enter, "alice"), await Person.come(enter, "bob")
    room_id = await alice.make(bob, kind="group")
    said = await bob.say(room_id, "mine")
    await alice.say(room_id, "and mine")
    cursor = (await bob.call("join_room", room_id))["sync"]["upto"]
    await bob.call("leave_room", room_id)
    await alice.say(room_id, "alone")
    await alice.do("invite", room_id, bob)
    part = (await bob.call("join_room", room_id, since=cursor))["sync"]
    assert part["state"] == "reset"
    assert [row["type"] for row in part["events"]] == ["join_room"]
    assert [kind for kind, _ in await bob.told(room_id)] == ["join_room"]
    about = {"message_id": said["id"], "client_id": new_client_id()}
    assert await bob.refused("delete_message", **about) == "not_found"


@both_languages
async def test_a_public_room_has_its_history_for_everyone(enter: Enter) -> None:
    """For members of any time, for watchers, and for who only looks in."""
    alice, bob, carol = [await Person.come(enter, name) for name in ("alice", "bob", "carol")]
    room_id = await alice.make()
    said = await alice.say(room_id, "in the beginning")
    joined = await bob.call("join_room", room_id)
    assert (joined["membership"]["visible_from_seq"], joined["sync"]["floor_seq"]) == (0, 0)
    for person in (bob, carol):
        assert ("chat", "in the beginning") in await person.told(room_id)
    reply = {"text": "amen", "reply_to": said["id"]}
    await bob.do("chat", room_id, content=reply)


# What is too old


class Old:
    """A server over a room in which much was said a month ago, and a little now."""

    def __init__(self, room_id: RoomId, epoch: str, server: ServerProcess) -> None:
        self.room_id = room_id
        self.epoch = epoch
        self.server = server

    async def come(self, user_id: str, **options: Any) -> Client:
        """Connect somebody."""
        client = await Client().connect(self.server.url, self.server.token(user_id), **options)
        await client.ready()
        return client


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[Old]:
    """A room of Ann and Bob: rows 1 and 2 let them in, 3 to 7 are old, 4 was edited since by 8."""
    ann, bob = UserId("ann"), UserId("bob")
    long_ago = {"created_at": Timestamp(1_700_000_000_000)}
    rows = [said(ann, f"old {number}", **long_ago) for number in range(5)]
    since = {"created_at": Timestamp(4_000_000_000_000)}
    rows.append(edited(bob, rows[1].message_id, "edited", **since))
    rows.append(said(ann, "new", **since))
    room = a_room(room_type=RoomType.PUBLIC, owner=ann, settings={"retention_days": 30}, rev=1)
    async with Database.open(tmp_path / "data") as database:
        await SqliteRooms(database).create(room, founding(ann, bob))
        await SqliteMessages(database).append(room.id, epoch=room.epoch, after=2, drafts=rows)
    process = ServerProcess(tmp_path / "data")
    await process.start()
    await process.prints(b"retention")
    yield Old(room.id, room.epoch, process)
    await process.stop()


async def test_what_is_too_old_is_gone_for_everyone(old: Old) -> None:
    """Whose cursor is of before that starts over; what changed since is kept."""
    for cursor in (f"{old.epoch}.3", f"{old.epoch}.0"):
        bob = await old.come("bob", since={old.room_id: cursor})
        part = bob.of("sync")[-1]["rooms"][old.room_id]
        assert part["state"] == "reset"
        texts = [row["content"]["text"] for row in part["events"]]
        assert texts == ["edited", "new"]
        assert part["floor_seq"] == part["events"][0]["seq"] == 4
        history = await bob.call("history", room_id=old.room_id)
        assert history["messages"] == part["events"]
        await bob.close()
    bob = await old.come("bob", since={old.room_id: f"{old.epoch}.7"})
    part = bob.of("sync")[-1]["rooms"][old.room_id]
    assert (part["state"], part["floor_seq"]) == ("ok", 4)
    assert [row["content"]["text"] for row in part["events"]] == ["edited", "new"]
    await bob.say(old.room_id, "here")
    heard = await bob.event("chat")
    assert heard["rev"] == 10
    await bob.close()


async def test_members_are_what_their_rows_made_them(old: Old) -> None:
    """Though those are gone: what they did stays."""
    ann = await old.come("ann")
    view = await ann.call("room", room_id=old.room_id)
    assert (view["membership"]["role"], view["room"]["members"]) == ("owner", ["ann", "bob"])
    members = (await ann.call("members", room_id=old.room_id))["members"]
    assert [member["user_id"] for member in members] == ["ann", "bob"]
    await ann.call("leave_room", room_id=old.room_id)
    row = await ann.event("leave_room")
    assert row["content"]["owner"] == "bob"
    await ann.close()
