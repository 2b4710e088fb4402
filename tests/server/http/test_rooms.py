import pytest

from tests.server.http.conftest import Caller, Callers


async def test_a_room_from_its_making_to_its_end(alice: Caller) -> None:
    body = {"name": "Tea", "type": "group", "members": ["bob"], "settings": {"mute_all": True}}
    made = await alice("POST", "/rooms", json=body)
    assert made.status == 201
    room = made.body["room"]
    assert (room["name"], room["members"]) == ("Tea", ["alice", "bob"])
    assert room["settings"]["mute_all"] is True
    assert made.body["membership"]["role"] == "owner"
    path = f"/rooms/{room['id']}"
    seen = await alice("GET", path)
    assert (seen.status, seen.body) == (200, made.body)
    assert seen.headers["ETag"] == made.headers["ETag"] == f'"{room["rev"]}"'
    changed = await alice("PUT", path, json={"name": "Coffee"})
    assert changed.status == 200
    assert changed.body["room"]["name"] == "Coffee"
    assert changed.headers["ETag"] == f'"{changed.body["room"]["rev"]}"' != seen.headers["ETag"]
    assert (await alice("DELETE", path)).body == {}
    assert (await alice("GET", path)).code == "gone"


async def test_a_change_is_refused_if_somebody_else_was_first(alice: Caller) -> None:
    path = f"/rooms/{await alice.room()}"
    seen = await alice("GET", path)
    tag = {"If-Match": seen.headers["ETag"]}
    first = await alice("PUT", path, json={"name": "First"}, headers=tag)
    assert first.status == 200
    second = await alice("PUT", path, json={"name": "Second"}, headers=tag)
    assert (second.status, second.code) == (412, "conflict")
    assert (await alice("GET", path)).body["room"]["name"] == "First"
    for any_tag in ({"If-Match": first.headers["ETag"]}, {"If-Match": "*"}):
        assert (await alice("PUT", path, json={"name": "Third"}, headers=any_tag)).status == 200


@pytest.mark.parametrize("tag", ["", "7", 'W/"7"', '"x"', '"1", "2"', '"-1"', f'"{10**16}"'])
async def test_a_condition_of_another_form_is_pointed_at(alice: Caller, tag: str) -> None:
    path = f"/rooms/{await alice.room()}"
    answer = await alice("PUT", path, json={"name": "New"}, headers={"If-Match": tag})
    assert (answer.status, answer.pointers) == (400, ["/If-Match"])


async def test_making_a_room_again_makes_no_second_one(alice: Caller) -> None:
    key = {"Idempotency-Key": "01HZX3W9A1"}
    body = {"name": "Tea", "type": "public"}
    made = [await alice.data("POST", "/rooms", json=body, headers=key) for _ in range(3)]
    assert len({one["room"]["id"] for one in made}) == 1
    other = await alice("POST", "/rooms", json={**body, "name": "Coffee"}, headers=key)
    assert (other.status, other.code) == (409, "client_id_reused")
    assert len((await alice.data("GET", "/rooms"))["items"]) == 1


async def test_my_rooms_come_page_by_page(alice: Caller, bob: Caller) -> None:
    made = {await alice.room() for _ in range(5)}
    invited = await bob.room(type="private")
    await bob.room()
    pages = await alice.walk("/rooms", limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    listed = [entry["room"]["id"] for page in pages for entry in page]
    assert (set(listed), len(listed)) == (made, 5)
    assert {"head", "unread", "mentions", "read_seq"} <= pages[0][0].keys()
    first = await alice.data("GET", "/rooms?limit=2")
    assert first["waiting"] == []
    assert "waiting" not in await alice.data("GET", f"/rooms?limit=2&cursor={first['next']}")
    assert invited not in listed


async def test_rooms_to_find_come_page_by_page(alice: Caller, bob: Caller) -> None:
    names = [f"Tea {number}" for number in range(5)]
    for name in reversed(names):
        await alice.room(name=name)
    await alice.room(name="Coffee")
    await alice.room(name="Tea, secret", type="private")
    pages = await bob.walk("/rooms", public=1, q="tea", limit=2)
    assert [[view["room"]["name"] for view in page] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    assert "join_room" in pages[0][0]["can"]
    assert "membership" not in pages[0][0]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("limit=x", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=", "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("public=1&limit=101", "/limit"),
        ("public=yes", "/public"),
        ("q=tea", "/q"),
        (f"public=1&q={'a' * 81}", "/q"),
        ("cursor=$", "/cursor"),
        ("cursor=bm90aGluZw", "/cursor"),
        ("name=x", "/name"),
        ("a/b~c=x", "/a~1b~0c"),
        ("%00=x", "/?"),
    ],
)
async def test_a_wrong_parameter_is_pointed_at(alice: Caller, query: str, pointer: str) -> None:
    answer = await alice("GET", f"/rooms?{query}")
    assert (answer.status, answer.code, answer.pointers) == (400, "invalid", [pointer])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": "", "type": "public"}, "/name"),
        ({"name": "Tea", "type": "direct"}, "/type"),
        (
            {"name": "Tea", "type": "public", "settings": {"max_members": 1}},
            "/settings/max_members",
        ),
        (
            {"name": "Tea", "type": "group", "settings": {"is_private": False}},
            "/settings/is_private",
        ),
        ({"name": "Tea", "type": "public", "members": ["bob", "b b"]}, "/members/1"),
        ({"name": "Tea", "type": "public", "admin": 1}, "/admin"),
        ({"name": "Tea", "type": "public", "client_id": "01HZX3W9A1"}, "/client_id"),
    ],
)
async def test_a_wrong_field_is_pointed_at(
    alice: Caller, body: dict[str, object], pointer: str
) -> None:
    answer = await alice("POST", "/rooms", json={"type": "public", **body})
    assert (answer.status, answer.code) == (400, "invalid")
    assert pointer in answer.pointers


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"name": " "}, "/name"),
        ({"settings": {"mute_all": 1}}, "/settings/mute_all"),
        ({"changes": {"name": "Tea"}}, "/changes"),
        ({"room_id": "0" * 24}, "/room_id"),
    ],
)
async def test_a_wrong_change_is_pointed_at(
    alice: Caller, body: dict[str, object], pointer: str
) -> None:
    answer = await alice("PUT", f"/rooms/{await alice.room()}", json=body)
    assert (answer.status, answer.pointers) == (400, [pointer])


async def test_who_has_no_right_is_told_as_over_the_socket(caller: Callers) -> None:
    alice, eve = caller("alice"), caller("eve")
    hidden, open_ = await alice.room(type="private"), await alice.room()
    assert (await eve("GET", f"/rooms/{hidden}")).status == 404
    assert (await eve("GET", f"/rooms/{open_}")).status == 200
    assert (await eve("PUT", f"/rooms/{open_}", json={"name": "Mine"})).status == 403
    assert (await eve("DELETE", f"/rooms/{open_}")).status == 403
    assert (await eve("GET", "/rooms/nothing")).pointers == ["/room_id"]
    assert (await eve("GET", f"/rooms/{'0' * 24}")).status == 404
