"""What becomes of people in rooms with time, at limits, and when a feed is started anew."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from parley.namespaces.chat import membership, rooms
from parley.namespaces.chat.room_schemas import AboutMember
from parley.namespaces.errors import ClientError
from parley.storage.models import ClientId, RoomId, RoomType, UserId
from tests.clients import new_client_id
from tests.namespaces.chat.cast import Cast
from tests.namespaces.chat.house import House
from tests.storage.drafts import a_room, founding, member, said

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")
DAY = 24 * 3_600_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House.open(tmp_path) as house:
        yield house


async def _room(house: House, *users: UserId, **settings: Any) -> RoomId:
    room = a_room(room_type=RoomType.PUBLIC, owner=users[0], settings=settings, rev=1)
    await house.build(room, founding(*users))
    return room.id


async def _ask(house: House, user: UserId, event: str, room_id: str, **more: Any) -> Any:
    return await house.ask(user, event, {"room_id": room_id, **more})


async def _do(house: House, user: UserId, event: str, room_id: str, **more: Any) -> Any:
    return await _ask(house, user, event, room_id, client_id=new_client_id(), **more)


async def _say(house: House, user: UserId, room_id: str) -> Any:
    return await _do(house, user, "chat", room_id, content={"text": "hello"})


async def _add(house: House, by: UserId, room_id: RoomId, user_id: UserId) -> str:
    """Do what only HTTP asks for, and return the error's code or her state."""
    request = AboutMember(room_id=room_id, user_id=user_id, client_id=ClientId(new_client_id()))
    try:
        made = await house.chat.services.membership.add(by, request)
    except ClientError as error:
        return error.code
    assert made is not None
    return str(made.state)


def _code(ack: Any) -> str:
    return "ok" if ack["ok"] else str(ack["error"]["code"])


async def test_a_mute_ends_by_itself(house: House) -> None:
    """By the clock, without a row; what she may do and how she stands say so."""
    room_id = await _room(house, ANN, BOB)
    muted = await _do(house, ANN, "mute", room_id, user_id=BOB, muted_for_ms=1_000)
    until = muted["data"]["membership"]["muted_until"]
    view = (await _ask(house, BOB, "room", room_id))["data"]
    assert view["membership"]["muted_until"] == until
    house.clock += 999
    refused = await _say(house, BOB, room_id)
    assert (_code(refused), refused["error"]["details"]["muted_until"]) == ("muted", until)
    house.clock += 1
    view = (await _ask(house, BOB, "room", room_id))["data"]
    assert "muted_until" not in view["membership"]
    assert "chat" in view["can"]
    (listed,) = (await house.ask(BOB, "rooms", {}))["data"]["rooms"]
    assert (listed["membership"], listed["can"]) == (view["membership"], view["can"])
    head = house.head(room_id)
    ended = await _do(house, ANN, "mute", room_id, user_id=BOB, muted_for_ms=0)
    assert "muted_until" not in ended["data"]["membership"]
    assert house.head(room_id) == head  # it was over already
    assert _code(await _say(house, BOB, room_id)) == "ok"


async def test_a_mute_is_changed_by_the_next_one(house: House) -> None:
    """Longer or shorter, from then on."""
    room_id = await _room(house, ANN, BOB)
    for length in (10_000, 500):
        await _do(house, ANN, "mute", room_id, user_id=BOB, muted_for_ms=length)
    house.clock += 500
    assert _code(await _say(house, BOB, room_id)) == "ok"


async def test_nobody_is_in_more_rooms_than_one_may_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However she would come in; who is in already is not asked again."""
    monkeypatch.setattr(rooms, "MAX_ROOMS", 1)
    first, asking = await _room(house, ANN, EVE), await _room(house, BOB, require_approval=True)
    open_ = await _room(house, BOB)
    assert _code(await _ask(house, EVE, "join_room", open_)) == "forbidden"
    assert _code(await _ask(house, EVE, "join_room", first)) == "ok"
    await _ask(house, EVE, "leave_room", first)
    assert _code(await _ask(house, EVE, "join_room", asking)) == "ok"
    await _ask(house, EVE, "join_room", first)
    assert await _add(house, BOB, open_, EVE) == "forbidden"
    assert _code(await _do(house, BOB, "approve", asking, user_id=EVE)) == "forbidden"
    # Somebody who asked, and is invited by who may approve, comes in by it.
    assert _code(await _do(house, BOB, "invite", asking, user_id=EVE)) == "forbidden"
    assert _code(await _do(house, BOB, "invite", open_, user_id=EVE)) == "ok"


@pytest.mark.parametrize("target", ["admin", "member", "invited", "pending", "banned", "stranger"])
async def test_who_is_added_is_in(house: House, target: str) -> None:
    """By those who may invite, if there is a place for her, and not over a ban."""
    expected = "conflict" if target == "banned" else "member"
    for kind, actor in (("private", "admin"), ("unlisted", "muted admin"), ("group", "member")):
        cast = await Cast(house, kind, "").gather()
        whom = cast.target(actor, target)
        for by, code in (
            ("stranger", "not_found"),
            ("banned", "not_found"),
            ("invited", "forbidden"),
        ):
            assert await _add(house, cast.user(by), cast.room.id, whom) == code
        if kind != "group":
            assert await _add(house, cast.user("member"), cast.room.id, whom) == "forbidden"
        head = house.head(cast.room.id)
        assert await _add(house, cast.user(actor), cast.room.id, whom) == expected
        rows = 0 if target in ("admin", "member", "banned") else 1
        assert house.head(cast.room.id) == head + rows
    if expected == "member":
        full = await Cast(house, "group", "full").gather()
        inside = target in ("admin", "member")
        code = await _add(house, full.user("owner"), full.room.id, full.target("owner", target))
        assert code == ("member" if inside else "room_full")


async def test_nobody_is_added_to_a_direct_room(house: House) -> None:
    cast = await Cast(house, "direct", "").gather()
    assert await _add(house, cast.user("member"), cast.room.id, EVE) == "forbidden"


async def test_only_so_many_wait_at_the_door(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invited or asking; who goes, or comes in, makes room for the next."""
    monkeypatch.setattr(membership, "MAX_WAITING", 2)
    room_id = await _room(house, ANN, require_approval=True)
    assert _code(await _do(house, ANN, "invite", room_id, user_id=BOB)) == "ok"
    assert _code(await _ask(house, EVE, "join_room", room_id)) == "ok"
    assert _code(await _do(house, ANN, "invite", room_id, user_id="dan")) == "room_full"
    assert _code(await _ask(house, UserId("dan"), "join_room", room_id)) == "room_full"
    assert _code(await _ask(house, EVE, "join_room", room_id)) == "ok"
    assert _code(await _ask(house, BOB, "join_room", room_id)) == "ok"
    assert _code(await _do(house, ANN, "invite", room_id, user_id="dan")) == "ok"
    await _do(house, ANN, "kick", room_id, user_id=EVE)
    assert _code(await _ask(house, UserId("fay"), "join_room", room_id)) == "ok"


async def test_a_purge_is_seen_while_the_room_is_followed(house: House) -> None:
    """The floor rises and old cursors start over, without anybody having to come anew."""
    room_id = await _room(house, ANN, BOB, retention_days=7)
    for _ in range(3):
        await _say(house, ANN, room_id)
    joined = (await _ask(house, BOB, "join_room", room_id))["data"]["sync"]
    epoch = joined["upto"].partition(".")[0]
    house.clock += 8 * DAY
    await _say(house, ANN, room_id)
    assert await house.chat.retention.purge() == 5
    await house.chat.audit.once()  # by which a running feed learns of it
    old = {"rooms": {room_id: f"{epoch}.3"}}
    for cursors, state in ((old, "reset"), ({"rooms": {room_id: joined["upto"]}}, "ok")):
        part = (await house.ask(BOB, "sync", cursors))["data"]["rooms"][room_id]
        assert (part["state"], part["floor_seq"]) == (state, 6)
        assert [row["seq"] for row in part["events"]] == [6]


async def test_no_watch_outlives_the_openness_of_its_room(house: House) -> None:
    """Also one that hung in the air when the room was closed, for its feed was started anew."""
    room_id = await _room(house, ANN, BOB)
    upto = (await _ask(house, EVE, "watch", room_id))["data"]["sync"]["upto"]
    feed = house.chat.feeds.running(room_id)
    assert feed is not None
    feed.drop()  # as at damage: everybody is told to sync
    assert "room_behind" in [name for name, _ in house.heard(EVE)]
    closed = await _do(
        house, ANN, "update_room", room_id, changes={"settings": {"is_private": True}}
    )
    assert closed["ok"]
    await _say(house, ANN, room_id)
    synced = (await house.ask(EVE, "sync", {"rooms": {room_id: upto}}))["data"]
    assert synced["rooms"] == {room_id: {"state": "gone"}}
    await _say(house, ANN, room_id)
    assert house.heard(EVE) == []


async def test_a_page_of_history_leads_on(house: House) -> None:
    """Also where what is on it is not for everyone: a client goes on from what it got."""
    room = a_room(room_type=RoomType.PUBLIC, owner=ANN, rev=1)
    asking = [member(ANN, UserId(f"user-{number}"), state="pending") for number in range(60)]
    await house.build(room, [*founding(ANN, BOB), *asking])
    for more in ({}, {"before": 63}, {"after": 2}, {"around": 30}):
        page = (await _ask(house, BOB, "history", room.id, limit=50, **more))["data"]
        assert page["messages"] or not page["more"], more


@pytest.mark.parametrize("way_out", ["kick", "leave_room"])
async def test_a_catch_up_that_broke_off_does_not_keep_her_out(house: House, way_out: str) -> None:
    """Who went out in the middle of one is live again like everybody when she is let in."""
    room = a_room(room_type=RoomType.PUBLIC, owner=ANN, rev=1)
    await house.build(room, founding(ANN, BOB), [said(ANN) for _ in range(250)])
    await house.arrive(BOB)
    cursor = f"{room.epoch}.2"
    part = (await house.ask(BOB, "sync", {"rooms": {room.id: cursor}}))["data"]["rooms"][room.id]
    assert part["more"]
    if way_out == "kick":
        # She does not hear of it, and goes on to sync.
        await _do(house, ANN, "kick", room.id, user_id=BOB)
        synced = await house.ask(BOB, "sync", {"rooms": {room.id: part["upto"]}})
        assert synced["data"]["rooms"][room.id] == {"state": "denied"}
    else:
        await _ask(house, BOB, "leave_room", room.id)
    await _add(house, ANN, room.id, BOB)
    await _say(house, ANN, room.id)
    # Live, or told to sync: one of both brings her here.
    assert {"chat", "room_behind"} & {name for name, _ in house.heard(BOB)}
