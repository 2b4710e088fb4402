from tests.server.http.conftest import Caller, Callers


async def test_somebody_is_made_a_member_and_taken_out(alice: Caller, bob: Caller) -> None:
    room_id = await alice.room(type="private")
    path = f"/rooms/{room_id}/members"
    added = await alice("POST", path, json={"user_id": "bob"})
    assert added.status == 200
    assert (added.body["membership"]["user_id"], added.body["membership"]["state"]) == (
        "bob",
        "member",
    )
    assert (await bob("GET", f"/rooms/{room_id}")).status == 200
    assert (await alice("DELETE", f"{path}/bob")).body == {}
    assert (await bob("GET", f"/rooms/{room_id}")).status == 404


async def test_one_leaves_by_ones_own_id(alice: Caller, bob: Caller) -> None:
    room_id = await alice.room()
    path = f"/rooms/{room_id}/members"
    await alice.data("POST", path, json={"user_id": "bob"})
    assert (await bob("DELETE", f"{path}/alice")).status == 403
    assert (await bob("DELETE", f"{path}/bob")).status == 200
    [last] = (await alice.data("GET", f"/messages/rooms/{room_id}?limit=1"))["items"]
    assert (last["type"], last["content"]["reason"]) == ("leave_room", "left")


async def test_one_joins_by_ones_own_id(alice: Caller, bob: Caller) -> None:
    open_ = await alice.room()
    joined = await bob.data("POST", f"/rooms/{open_}/members", json={"user_id": "bob"})
    assert joined["membership"]["state"] == "member"
    asked = await alice.room(settings={"require_approval": True})
    waits = await bob.data("POST", f"/rooms/{asked}/members", json={"user_id": "bob"})
    assert waits["membership"]["state"] == "pending"
    [entry] = (await bob.data("GET", "/rooms"))["waiting"]
    assert entry["room"]["id"] == asked
    let_in = await alice.data("POST", f"/rooms/{asked}/members", json={"user_id": "bob"})
    assert let_in["membership"]["state"] == "member"
    hidden = await alice.room(type="private")
    refused = await bob("POST", f"/rooms/{hidden}/members", json={"user_id": "bob"})
    assert refused.status == 404


async def test_members_come_page_by_page(alice: Caller) -> None:
    users = [f"user{number}" for number in range(6)]
    room_id = await alice.room(members=users)
    pages = await alice.walk(f"/rooms/{room_id}/members", limit=3)
    assert [[one["user_id"] for one in page] for page in pages] == [
        ["alice", *users[:2]],
        users[2:5],
        users[5:],
    ]
    assert pages[0][0]["name"] == "Alice"


async def test_others_than_members_are_for_owner_and_admins(alice: Caller, bob: Caller) -> None:
    room_id = await alice.room(members=["bob"])
    path = f"/rooms/{room_id}/members"
    assert await alice.data("GET", f"{path}?state=invited") == {"items": []}
    assert (await bob("GET", f"{path}?state=invited")).status == 403
    assert (await alice("GET", f"{path}?state=owner")).pointers == ["/state"]


async def test_a_retry_adds_nobody_twice(alice: Caller) -> None:
    room_id = await alice.room()
    key = {"Idempotency-Key": "01HZX3W9A1"}
    for _ in range(3):
        path = f"/rooms/{room_id}/members"
        assert (await alice("POST", path, json={"user_id": "bob"}, headers=key)).status == 200
    rows = (await alice.data("GET", f"/messages/rooms/{room_id}"))["items"]
    assert [row["content"].get("user_id") for row in rows] == ["alice", "bob"]


async def test_a_full_room_and_strangers(caller: Callers) -> None:
    alice, eve = caller("alice"), caller("eve")
    room_id = await alice.room(settings={"max_members": 2}, members=["bob"])
    path = f"/rooms/{room_id}/members"
    full = await alice("POST", path, json={"user_id": "carol"})
    assert (full.status, full.code) == (409, "room_full")
    assert (await eve("POST", path, json={"user_id": "eve"})).code == "room_full"
    assert (await eve("POST", path, json={"user_id": "dave"})).status == 403
    assert (await eve("GET", path)).status == 403
