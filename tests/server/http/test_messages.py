import asyncio

import pytest

from tests.server.http.conftest import Caller, Callers


async def test_a_retry_stores_nothing(alice: Caller) -> None:
    room_id = await alice.room()
    path, key = f"/messages/rooms/{room_id}", {"Idempotency-Key": "01HZX3W9A1"}
    body = {"content": {"text": "Hello"}}
    answers = [await alice("POST", path, json=body, headers=key) for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 200, 200]
    assert [answer.body.pop("duplicate", False) for answer in answers] == [False, True, True]
    assert answers[0].body == answers[1].body == answers[2].body
    texts = [m["content"].get("text") for m in (await alice.data("GET", path))["items"]]
    assert texts.count("Hello") == 1
    other = await alice("POST", path, json={"content": {"text": "Bye"}}, headers=key)
    assert (other.status, other.code) == (409, "client_id_reused")


async def test_without_a_key_each_request_is_a_message(alice: Caller) -> None:
    room_id = await alice.room()
    sent = await asyncio.gather(*(alice.say(room_id, "Hello") for _ in range(20)))
    assert len({one["seq"] for one in sent}) == 20


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "sys:01HZX3W9A1", "with space"])
async def test_a_wrong_key_is_pointed_at(alice: Caller, key: str) -> None:
    path = f"/messages/rooms/{await alice.room()}"
    body = {"content": {"text": "Hello"}}
    answer = await alice("POST", path, json=body, headers={"Idempotency-Key": key})
    assert (answer.status, answer.pointers) == (400, ["/Idempotency-Key"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/content"),
        ({"content": {}}, "/content/text"),
        ({"content": {"text": "x" * 4_001}}, "/content/text"),
        ({"content": {"text": "a\0b"}}, "/content/text"),
        ({"content": {"text": "Hello", "reply_to": "0" * 24}}, "/content/reply_to"),
        ({"content": {"text": "Hello"}, "type": "private"}, "/type"),
        ({"content": {"text": "Hello"}, "room_id": "0" * 24}, "/room_id"),
        ({"content": {"text": "Hello"}, "client_id": "01HZX3W9A1"}, "/client_id"),
        ({"content": {"text": "Hello"}, "metadata": {"a": "x" * 4_096}}, "/metadata"),
        ({"content": {"text": "Hello"}, "metadata": {"a": 2**70}}, "/metadata/a"),
    ],
)
async def test_a_wrong_field_is_pointed_at(
    alice: Caller, body: dict[str, object], pointer: str
) -> None:
    answer = await alice("POST", f"/messages/rooms/{await alice.room()}", json=body)
    assert (answer.status, answer.code, answer.pointers) == (400, "invalid", [pointer])


async def test_messages_have_the_type_they_are_sent_with(alice: Caller) -> None:
    room_id = await alice.room(settings={"allowed_types": ["text"]})
    body = {"type": "group", "content": {"text": "Hello"}, "metadata": {"mood": "fine"}}
    await alice.data("POST", f"/messages/rooms/{room_id}", json=body)
    [message] = (await alice.data("GET", f"/messages/rooms/{room_id}?limit=1"))["items"]
    assert (message["type"], message["metadata"]) == ("group", {"mood": "fine"})
    image = {"content": {"message_type": "image", "image": "https://a.example/b.png"}}
    refused = await alice("POST", f"/messages/rooms/{room_id}", json=image)
    assert (refused.status, refused.code) == (422, "rejected_content")
    assert refused.pointers == ["/content/message_type"]


async def test_history_comes_page_by_page(alice: Caller) -> None:
    room_id = await alice.room()
    for number in range(9):
        await alice.say(room_id, str(number))
    path = f"/messages/rooms/{room_id}"
    back = await alice.walk(path, limit=4)
    assert [[m["seq"] for m in page] for page in back] == [[7, 8, 9, 10], [3, 4, 5, 6], [1, 2]]
    forth = await alice.walk(path, limit=4, after=2)
    assert [[m["seq"] for m in page] for page in forth] == [[3, 4, 5, 6], [7, 8, 9, 10]]
    around = await alice.data("GET", f"{path}?around=5&limit=4")
    assert [m["seq"] for m in around["items"]] == [3, 4, 5, 6]
    assert (around["head"], around["more"], "next" in around) == (10, True, False)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("before=1&after=1", "/after"),
        ("before=-1", "/before"),
        ("around=x", "/around"),
        ("limit=201", "/limit"),
        ("cursor=WyJiZWZvcmUiLCJ4Il0", "/cursor"),  # ["before","x"]
        ("cursor=WyJhYm92ZSIsIjEiXQ", "/cursor"),  # ["above","1"]
        ("cursor=WyIxIl0", "/cursor"),  # of another list
    ],
)
async def test_a_wrong_page_is_pointed_at(alice: Caller, query: str, pointer: str) -> None:
    answer = await alice("GET", f"/messages/rooms/{await alice.room()}?{query}")
    assert (answer.status, answer.pointers) == (400, [pointer])


async def test_what_somebody_wrote_where_i_can_read_it(alice: Caller, bob: Caller) -> None:
    shared = [await alice.room(members=["bob"]) for _ in range(2)]
    secret = await alice.room(type="private")
    for number in range(5):
        await alice.say(shared[number % 2], str(number))
        await alice.say(secret, "secret")
    await bob.say(shared[0], "not hers")
    pages = await bob.walk("/messages/users/alice", limit=2)
    texts = [[message["content"]["text"] for message in page] for page in pages]
    assert texts == [["4", "3"], ["2", "1"], ["0"]]


async def test_reading_is_counted(alice: Caller, bob: Caller) -> None:
    room_id = await alice.room(members=["bob"])
    await bob.room()
    await alice.say(room_id, "one")
    two = await alice.say(room_id, "two")
    body = {"content": {"text": "@bob", "mentions": ["bob"]}}
    await alice.data("POST", f"/messages/rooms/{room_id}", json=body)
    counted = {"unread": 3, "mentions": 1}
    assert await bob.data("GET", "/messages/unread/count") == {
        **counted,
        "rooms": {room_id: counted},
    }
    read = await bob.data("POST", f"/messages/{two['id']}/read")
    assert read == {"read_seq": two["seq"], "unread": 1}
    assert (await bob.data("GET", "/messages/unread/count"))["unread"] == 1
    assert (await alice.data("GET", "/messages/unread/count"))["rooms"] == {}


async def test_only_what_one_sees_can_be_read(alice: Caller, bob: Caller) -> None:
    message = await alice.say(await alice.room(type="private"), "secret")
    assert (await bob("POST", f"/messages/{message['id']}/read")).status == 404
    assert (await bob("POST", f"/messages/{'0' * 24}/read")).status == 404
    assert (await bob("POST", "/messages/x/read")).pointers == ["/message_id"]


async def test_who_may_not_speak_is_told_so(alice: Caller, bob: Caller) -> None:
    room_id = await alice.room(members=["bob"], settings={"mute_all": True})
    body = {"content": {"text": "Hello"}}
    answer = await bob("POST", f"/messages/rooms/{room_id}", json=body)
    assert (answer.status, answer.code) == (403, "muted")


async def test_users_are_known_from_their_first_request_on(caller: Callers) -> None:
    alice, bob = caller("alice", name="Alice"), caller("bob")
    assert (await bob("GET", "/users/alice")).status == 404
    await alice("GET", "/nothing")
    assert await bob.data("GET", "/users/alice") == {"user_id": "alice", "name": "Alice"}
    assert await bob.data("GET", "/users/bob") == {"user_id": "bob"}
    assert (await bob("GET", "/users/b%20b")).pointers == ["/user_id"]
