"""Whom one may see, and what somebody looks like whom one may not, or who is invisible."""

import pytest

from tests.clients import ChatClient, Client, Refused, new_client_id, new_user
from tests.e2e.presence import Api, Come, Content, Observer, People, looks
from tests.e2e.stock import both_languages
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEVER_HERE: Content = {"status": "offline", "devices": []}


@pytest.fixture
def server(short_grace: ServerProcess) -> ServerProcess:
    return short_grace


@both_languages
async def test_a_stranger_sees_nobody(come: Come, people: People, server: ServerProcess) -> None:
    """Asked in any way, everybody is as if she had never been here, whether she was or not."""
    cid = Observer(await come(people.cid))
    await cid.follows(people.ann, nobody := new_user("nobody"))
    ann = await come(people.ann)
    await ann.call("set_status", status="busy", device="phone")
    assert looks(await cid.sees(people.ann)) == looks(await cid.sees(nobody)) == NEVER_HERE
    assert looks((await cid.follows(people.ann))[people.ann]) == NEVER_HERE
    with pytest.raises(Refused, match="forbidden"):
        await cid.io.call("room", room_id=people.room_id)
    assert await Api(server, people.cid).online() == [people.cid]
    status, body = await Api(server, people.cid)("GET", f"/connections/rooms/{people.room_id}")
    assert (status, body["error"]["code"]) == (403, "forbidden")
    # Her own event is behind all that could have been told of others.
    await cid.io.call("set_status", status="away")
    await cid.hears("status", people.cid, status="away")
    assert cid.heard(people.ann) == cid.heard(nobody) == []


@both_languages
async def test_sight_comes_and_goes_with_a_shared_room(
    come: Come, people: People, server: ServerProcess
) -> None:
    """It is told like a change: she is online, then she is offline."""
    cid, ann = Observer(await come(people.cid)), await come(people.ann)
    await ann.call("set_status", status="busy")
    await cid.follows(people.ann)
    chat = await come(people.cid, "/chat")
    await chat.call("join_room", room_id=people.room_id)
    assert (await cid.hears("user_online", people.ann))["status"] == "busy"
    room = await cid.io.call("room", room_id=people.room_id)
    assert [one["user_id"] for one in room["users"]] == sorted([people.ann, people.cid])
    path = f"/rooms/{people.room_id}/members/{people.cid}"
    status, _ = await Api(server, people.ann)("DELETE", path)
    assert status == 200
    assert looks(await cid.hears("user_offline", people.ann)) == NEVER_HERE
    assert (await cid.io.event("room"))["ended"] is True
    bob = Observer(await come(people.bob))
    await bob.follows(people.ann)
    await ann.call("set_status", status="away")
    # Who may see her is told in the same step, and Cid's ack is behind it.
    await bob.hears("status", people.ann, status="away")
    assert looks(await cid.sees(people.ann)) == NEVER_HERE
    assert cid.heard(people.ann) == ["user_online", "user_offline"]


@both_languages
async def test_a_private_message_lets_both_see(
    come: Come, people: People, server: ServerProcess
) -> None:
    cid, ann = Observer(await come(people.cid)), await come(people.ann)
    await cid.follows(people.ann)
    said = {"to": people.ann, "client_id": new_client_id(), "content": {"text": "psst"}}
    await (await come(people.cid, "/chat")).call("private", **said)
    await cid.hears("user_online", people.ann)
    seen = (await ann.call("get", user_ids=[people.cid]))["users"]
    assert seen[0]["status"] == "online"


@both_languages
async def test_a_deleted_room_lets_nobody_see(
    come: Come, people: People, server: ServerProcess
) -> None:
    bob = Observer(await come(people.bob))
    await come(people.ann)
    assert (await bob.follows(people.ann))[people.ann]["status"] == "online"
    await bob.io.call("room", room_id=people.room_id)
    status, _ = await Api(server, people.ann)("DELETE", f"/rooms/{people.room_id}")
    assert status == 200
    assert looks(await bob.hears("user_offline", people.ann)) == NEVER_HERE
    assert await bob.io.event("room", lambda data: "ended" in data)


@both_languages
async def test_an_invisible_user_is_offline_to_all_but_herself(
    come: Come, people: People, server: ServerProcess
) -> None:
    """Over the socket and over HTTP; what she does is not told, and neither is her coming back."""
    bob, phone = Observer(await come(people.bob)), Observer(await come(people.ann))
    await bob.follows(people.ann)
    await bob.io.call("room", room_id=people.room_id)
    assert await Api(server, people.bob).online() == sorted([people.ann, people.bob])
    own = await phone.io.call("set_status", status="busy", invisible=True)
    assert (own["status"], own["invisible"]) == ("busy", True)
    gone = await bob.hears("user_offline", people.ann)
    assert looks(gone) == {**NEVER_HERE, "last_seen": gone["last_seen"]}
    await bob.io.event("room", lambda data: data["online"] == 1)
    since = len(bob.io.events)
    await _is_hidden(bob, people, server, looks(gone))
    # Another device, another status, all devices gone and one back.
    desk = Observer(await come(people.ann))
    await desk.io.call("set_status", status="away", device="desk")
    await _is_hidden(bob, people, server, looks(gone))
    await desk.io.close()
    await phone.io.close()
    await _offline(come, server, people.ann)
    again = Observer(await come(people.ann))
    assert (await again.sees(people.ann))["invisible"] is True
    await _is_hidden(bob, people, server, looks(gone))
    assert await Api(server, people.ann).online() == [people.bob]
    assert {people.ann, people.bob} <= set(await Api(server, "root", ("admin",)).online())
    # Bob himself is told of the room: whatever there was to tell of it is told with that.
    await bob.io.call("set_status", status="away")
    await bob.hears("status", people.bob, status="away")
    await bob.io.event(
        "room", lambda data: [u["status"] for u in data.get("users", ())] == ["away"], after=since
    )
    assert bob.heard(people.ann, after=since) == []
    assert people.ann not in str(bob.io.events[since:])
    # Until she takes it back.
    back = await again.io.call("set_status", status="online", invisible=False)
    assert "invisible" not in back
    await bob.hears("user_online", people.ann)


async def _is_hidden(bob: Observer, people: People, server: ServerProcess, gone: object) -> None:
    assert looks(await bob.sees(people.ann)) == gone
    assert looks((await bob.follows(people.ann))[people.ann]) == gone
    room = await bob.io.call("room", room_id=people.room_id)
    assert (room["online"], [one["user_id"] for one in room["users"]]) == (1, [people.bob])
    api = Api(server, people.bob)
    assert await api.online() == await api.online(f"rooms/{people.room_id}") == [people.bob]


async def _offline(come: Come, server: ServerProcess, user_id: str) -> None:
    """Wait until no connection of a user is known any more; only an administrator sees that."""
    admin = Api(server, "root", ("admin",))
    while user_id in await admin.online():
        pass


async def test_versions_do_not_tell_who_is_invisible(short_grace: ServerProcess) -> None:
    """Who hides and who was never here have the same one, and it is that of a clock.

    So it rises between two looks whether she has done something meanwhile or not.
    """
    people = await People.meet(short_grace)
    ann, bob = await _enter(short_grace, people.ann), await _enter(short_grace, people.bob)
    await ann.call("set_status", status="online", invisible=True)
    never = new_user("never")
    versions = list[int]()
    for device in ("", "phone", None, None):
        if device is not None:
            await ann.call("set_status", status="away", device=device)
        asked = await bob.call("get", user_ids=[people.ann, never])
        hidden, absent = asked["users"]
        assert hidden["version"] == absent["version"]
        versions.append(hidden["version"])
    assert versions == sorted(set(versions))
    await ann.close()
    await bob.close()


async def _enter(server: ServerProcess, user_id: str) -> ChatClient:
    client = Client(namespace="/presence")
    await client.connect(server.url, server.token(user_id))
    await client.event("status")
    return client


async def test_invisible_outlives_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After ``kill -9`` she comes back, and nobody sees her for a moment."""
    server = await ServerProcess(tmp_path_factory.mktemp("server") / "data").start()
    people = await People.meet(server)
    ann = await _enter(server, people.ann)
    await ann.call("set_status", status="online", invisible=True)
    await server.kill()
    await server.start()
    bob = Observer(await _enter(server, people.bob))
    await bob.follows(people.ann)
    ann = await _enter(server, people.ann)
    assert ann.of("status")[0]["content"]["invisible"] is True
    assert (await bob.sees(people.ann))["status"] == "offline"
    assert bob.heard(people.ann) == []
    await ann.close()
    await bob.io.close()
    await server.stop()
