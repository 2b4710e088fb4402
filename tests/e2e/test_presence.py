"""Who is here, as stock clients hear it: devices, the grace, what is left of who has gone."""

from typing import Any

import pytest
import socketio

from tests.clients import WAIT_S, Client
from tests.e2e.presence import Come, Observer, People, looks
from tests.e2e.stock import both_languages
from tests.servers import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def server(short_grace: ServerProcess) -> ServerProcess:
    return short_grace


@both_languages
async def test_two_devices_and_one_closed_is_online(come: Come, people: People) -> None:
    """Both closed is offline: after the grace, once, for everybody who follows her."""
    bobs = [Observer(await come(people.bob)) for _ in range(3)]
    for bob in bobs:
        assert (await bob.follows(people.ann))[people.ann]["status"] == "offline"
    first, second = await come(people.ann), await come(people.ann, "/chat")
    two = [{"status": "online"}, {"status": "online"}]
    for bob in bobs:
        await bob.hears("status", people.ann, devices=two)
    await first.close()
    for bob in bobs:
        await bob.hears("status", people.ann, devices=two[:1], status="online")
        assert (await bob.sees(people.ann))["status"] == "online"
    await second.close()
    for bob in bobs:
        gone = await bob.hears("user_offline", people.ann)
        assert (gone["status"], gone["devices"]) == ("offline", [])
        assert looks(await bob.sees(people.ann)) == looks(gone)
    # Whatever else was told of her would come before she is back.
    await come(people.ann)
    for bob in bobs:
        told = bob.heard(people.ann)
        while told.count("user_online") < 2:
            await bob.hears("user_online", people.ann, after=len(bob.io.events))
            told = bob.heard(people.ann)
        assert told == ["user_online", "status", "status", "user_offline", "user_online"]


@both_languages
async def test_a_reload_is_not_heard_of(come: Come, people: People) -> None:
    """Who is back within the grace goes on as she was, and nothing is told."""
    bob = Observer(await come(people.bob))
    ann = await come(people.ann)
    await ann.call("set_status", status="busy", device="phone", location="kitchen")
    before = (await bob.follows(people.ann))[people.ann]
    assert before["devices"] == [{"status": "busy", "device": "phone", "location": "kitchen"}]
    for _ in range(3):
        await ann.close()
        ann = await come(people.ann)
    assert looks(await bob.sees(people.ann)) == looks(before)
    await ann.call("set_status", status="away", location="")
    away = await bob.hears("status", people.ann)
    assert away["devices"] == [{"status": "away", "device": "phone"}]
    assert bob.heard(people.ann) == ["status"]


@both_languages
async def test_chat_alone_makes_one_online(come: Come, people: People) -> None:
    """A connection is a device, whatever namespace it joined."""
    bob = Observer(await come(people.bob))
    await bob.follows(people.ann)
    chat = await come(people.ann, "/chat")
    here = await bob.hears("user_online", people.ann)
    assert here["devices"] == [{"status": "online"}]
    await chat.close()
    await bob.hears("user_offline", people.ann)


@both_languages
async def test_a_connection_with_two_namespaces_is_one_device(
    come: Come, people: People, server: ServerProcess
) -> None:
    """It is there as long as one of them is joined."""
    bob = Observer(await come(people.bob))
    await bob.follows(people.ann)
    ann: Any = socketio.AsyncClient(reconnection=False)
    await ann.connect(
        server.url,
        auth={"token": server.token(people.ann)},
        namespaces=["/chat", "/presence"],
        transports=["websocket"],
        wait_timeout=WAIT_S,
    )
    here = await bob.hears("user_online", people.ann)
    assert here["devices"] == [{"status": "online"}]
    said = {"status": "away"}
    assert (await ann.call("set_status", said, "/presence"))["data"]["devices"] == [said]
    await ann.disconnect()
    await bob.hears("user_offline", people.ann)
    assert bob.heard(people.ann) == ["user_online", "status", "user_offline"]


@both_languages
async def test_her_devices_hear_how_she_is(come: Come, people: People) -> None:
    """What one device says, the others are told; the most present of them counts."""
    phone, desk = Observer(await come(people.ann)), Observer(await come(people.ann))
    await phone.io.call("set_status", status="away", device="phone")
    await desk.hears("status", people.ann, status="online")
    await desk.io.call("set_status", status="busy", device="desk")
    both = [{"status": "away", "device": "phone"}, {"status": "busy", "device": "desk"}]
    for device in (phone, desk):
        told = await device.hears("status", people.ann, status="busy")
        assert told["devices"] == both
    await desk.io.close()
    assert (await phone.hears("status", people.ann, status="away"))["devices"] == both[:1]


@both_languages
async def test_people_of_a_room_are_told_together(come: Come, people: People) -> None:
    """The ack says who is here; comings and goings of half a second are one event."""
    bob = await come(people.bob)
    room = await bob.call("room", room_id=people.room_id)
    assert (room["online"], [one["user_id"] for one in room["users"]]) == (1, [people.bob])
    ann = await come(people.ann)
    await ann.call("set_status", status="busy")
    came = await bob.event("room")
    assert came["online"] == 2
    assert [(one["user_id"], one["status"]) for one in came["users"]] == [(people.ann, "busy")]
    await ann.close()
    went = await bob.event("room", lambda data: data["online"] == 1)
    assert [(one["user_id"], one["status"]) for one in went["users"]] == [(people.ann, "offline")]
    await bob.call("unsubscribe", room_id=people.room_id)
    # Another follows on, and hears it in the same batch; what bob was told is before his ack.
    other = await come(people.bob)
    await other.call("room", room_id=people.room_id)
    await come(people.ann)
    await other.event("room", lambda data: data["online"] == 2)
    await bob.call("get", user_ids=[people.ann])
    assert len(bob.of("room")) == 2


@both_languages
async def test_who_does_not_follow_any_more_hears_nothing(come: Come, people: People) -> None:
    """The others do."""
    one, two = Observer(await come(people.bob)), Observer(await come(people.bob))
    for bob in (one, two):
        await bob.follows(people.ann)
    await one.io.call("unsubscribe", user_ids=[people.ann, people.cid])
    await come(people.ann)
    await two.hears("user_online", people.ann)
    assert (await one.sees(people.ann))["status"] == "online"
    assert one.heard(people.ann) == []


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_last_seen_outlives_the_server(
    tmp_path_factory: pytest.TempPathFactory, how: str
) -> None:
    """That of who had left, and, if it was stopped in good order, of who was here."""
    folder = tmp_path_factory.mktemp("server") / "data"
    server = await ServerProcess(folder, {"PARLEY_PRESENCE_GRACE_MS": "0"}).start()
    people = await People.meet(server)
    bob, ann = await _enter(server, people.bob), await _enter(server, people.ann)
    await bob.follows(people.ann)
    await ann.io.close()
    gone = await bob.hears("user_offline", people.ann)
    await (server.stop() if how == "stop" else server.kill())
    await server.start()
    ann = await _enter(server, people.ann)
    assert ("last_seen" in await ann.sees(people.bob)) is (how == "stop")
    await ann.io.close()
    bob = await _enter(server, people.bob)
    assert (await bob.sees(people.ann))["last_seen"] >= gone["last_seen"]
    await bob.io.close()
    await server.stop()


async def _enter(server: ServerProcess, user_id: str) -> Observer:
    client = Client(namespace="/presence")
    return Observer(await client.connect(server.url, server.token(user_id)))
