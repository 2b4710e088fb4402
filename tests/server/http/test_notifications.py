"""Notifications over HTTP: one's own inbox, and publishing."""

import asyncio
from typing import Any

import pytest

from tests.server.http.conftest import Caller, Callers

TEA = {"title": "Tea is ready", "body": "In the kitchen"}
KEY = {"Idempotency-Key": "01HZX3W9A1"}


async def titles(caller: Caller, **query: Any) -> list[str]:
    pages = await caller.walk("/notifications", **query)
    return [one["content"]["title"] for page in pages for one in page]


async def publish(admin: Caller, **fields: Any) -> Any:
    return await admin.data("POST", "/notifications", json={**TEA, **fields})


async def test_a_notification_reaches_those_who_are_named(
    admin: Caller, alice: Caller, bob: Caller, caller: Callers
) -> None:
    content = {**TEA, "icon": "https://example.org/i.png", "action": "/tea", "data": {"cups": 2}}
    told = await admin.data(
        "POST", "/notifications", json={**content, "user_ids": ["bob", "alice"]}
    )
    assert (told["total"], told["done"], told["stored"], told["finished"]) == (2, 2, 2, True)
    for who in (alice, bob):
        [one] = (await who.data("GET", "/notifications"))["items"]
        assert (one["content"], one["read"], one["seq"], one["rev"]) == (content, False, 1, 1)
    assert await titles(caller("carol")) == []


async def test_only_administrators_publish(alice: Caller) -> None:
    body = {**TEA, "user_ids": ["bob"]}
    answer = await alice("POST", "/notifications", json=body)
    assert (answer.status, answer.code) == (403, "forbidden")
    answer = await alice("GET", f"/notifications/publications/{'0' * 24}")
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_room_gets_it_but_who_has_muted_it(
    admin: Caller, alice: Caller, bob: Caller
) -> None:
    room_id = await alice.room(members=["bob"])
    told = await publish(admin, room_id=room_id)
    assert (told["total"], told["stored"]) == (2, 2)
    assert await titles(bob) == ["Tea is ready"]
    answer = await admin("POST", "/notifications", json={**TEA, "room_id": "0" * 24})
    assert (answer.status, answer.code) == (404, "not_found")
    await alice.data("DELETE", f"/rooms/{room_id}")
    answer = await admin("POST", "/notifications", json={**TEA, "room_id": room_id})
    assert (answer.status, answer.code) == (410, "gone")


async def test_everybody_is_who_has_been_seen(admin: Caller, alice: Caller, bob: Caller) -> None:
    for who in (alice, bob):
        await who.data("GET", "/rooms")
    told = await publish(admin, all=True)
    assert (told["total"], told["stored"]) == (3, 3)
    assert await titles(admin) == await titles(alice) == ["Tea is ready"]


async def test_a_retry_tells_how_far_it_is(admin: Caller, alice: Caller) -> None:
    body = {**TEA, "user_ids": ["alice"]}
    answers = [await admin("POST", "/notifications", json=body, headers=KEY) for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 200, 200]
    assert [answer.body.pop("duplicate", False) for answer in answers] == [False, True, True]
    assert answers[0].body == answers[1].body == answers[2].body
    path = f"/notifications/publications/{answers[0].body['publication_id']}"
    assert await admin.data("GET", path) == answers[0].body
    assert await titles(alice) == ["Tea is ready"]
    other = await admin("POST", "/notifications", json={**body, "title": "Cake"}, headers=KEY)
    assert (other.status, other.code) == (409, "client_id_reused")
    missing = await admin("GET", f"/notifications/publications/{'0' * 24}")
    assert (missing.status, missing.code) == (404, "not_found")


async def test_retries_at_once_publish_once(admin: Caller, alice: Caller) -> None:
    body = {**TEA, "user_ids": ["alice"]}
    tries = (admin("POST", "/notifications", json=body, headers=KEY) for _ in range(10))
    assert {answer.status for answer in await asyncio.gather(*tries)} == {200, 201}
    assert await titles(alice) == ["Tea is ready"]


async def test_keys_hold_back_and_take_the_place_of(admin: Caller, alice: Caller) -> None:
    for title in ("1", "2"):
        told = await publish(admin, user_ids=["alice"], title=title, dedupe_key="invoice-42")
        assert told["stored"] == (1 if title == "1" else 0)
    for title in ("3", "4"):
        await publish(admin, user_ids=["alice"], title=title, collapse_key="build")
    assert await titles(alice) == ["4", "1"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"user_ids": None}, "/user_ids"),
        ({"user_ids": []}, "/user_ids"),
        ({"user_ids": ["a b"]}, "/user_ids/0"),
        ({"user_ids": ["alice", "alice"]}, "/user_ids"),
        ({"user_ids": [f"user-{n}" for n in range(501)]}, "/user_ids"),
        ({"all": True}, "/user_ids"),
        ({"all": False}, "/all"),
        ({"room_id": "x"}, "/room_id"),
        ({"title": ""}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "a\0b"}, "/title"),
        ({"body": "x" * 4_001}, "/body"),
        ({"icon": "javascript:alert(1)"}, "/icon"),
        ({"action": ""}, "/action"),
        ({"data": {"a": "x" * 4_096}}, "/data"),
        ({"data": {"a": 2**70}}, "/data/a"),
        ({"data": []}, "/data"),
        ({"dedupe_key": ""}, "/dedupe_key"),
        ({"collapse_key": "x" * 65}, "/collapse_key"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"expires_at": "2020-01-01T00:00:00.000Z"}, "/expires_at"),
        ({"expires_at": "2099-99-99T00:00:00.000Z"}, "/expires_at"),
        ({"client_id": "01HZX3W9A1"}, "/client_id"),
        ({"sound": "ping"}, "/sound"),
    ],
)
async def test_a_wrong_field_is_pointed_at(
    admin: Caller, alice: Caller, change: dict[str, Any], pointer: str
) -> None:
    body = {**TEA, "user_ids": ["alice"], **change}
    answer = await admin(
        "POST", "/notifications", json={k: v for k, v in body.items() if v is not None}
    )
    assert (answer.status, answer.code) == (400, "invalid")
    assert answer.pointers[0].startswith(pointer)
    assert await titles(alice) == []


async def test_lists_are_paged_and_filtered(admin: Caller, alice: Caller) -> None:
    for number in range(5):
        await publish(admin, user_ids=["alice"], title=str(number))
    pages = await alice.walk("/notifications", limit=2)
    assert [[one["content"]["title"] for one in page] for page in pages] == [
        ["4", "3"],
        ["2", "1"],
        ["0"],
    ]
    ids = [one["id"] for page in pages for one in page]
    read = await alice.data("POST", "/notifications/read", json={"ids": ids[:1]})
    assert read == {"read": 1, "unread": 4}
    assert await titles(alice, unread="true") == ["3", "2", "1", "0"]
    assert await alice.data("POST", "/notifications/read", json={"up_to": 2}) == {
        "read": 2,
        "unread": 2,
    }
    assert await alice.data("GET", "/notifications/unread/count") == {"unread": 2}
    for deleted in (1, 0):
        gone = await alice.data("POST", "/notifications/delete", json={"ids": [ids[1]]})
        assert gone == {"deleted": deleted, "unread": 1}
    read = await alice.data("POST", "/notifications/read", json={"all": True})
    assert read == {"read": 1, "unread": 0}
    assert await titles(alice) == ["4", "2", "1", "0"]


async def test_nobody_touches_what_is_anothers(admin: Caller, alice: Caller, bob: Caller) -> None:
    await publish(admin, user_ids=["alice"])
    [one] = (await alice.data("GET", "/notifications"))["items"]
    gone = await bob.data("POST", "/notifications/delete", json={"ids": [one["id"]]})
    assert gone == {"deleted": 0, "unread": 0}
    read = await bob.data("POST", "/notifications/read", json={"ids": [one["id"]]})
    assert read == {"read": 0, "unread": 0}
    assert (await alice.data("GET", "/notifications"))["items"] == [one]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/ids"),
        ({"ids": []}, "/ids"),
        ({"ids": ["x"]}, "/ids/0"),
        ({"up_to": -1}, "/up_to"),
        ({"all": False}, "/all"),
        ({"up_to": 1, "all": True}, "/ids"),
    ],
)
async def test_a_wrong_request_to_read_is_pointed_at(
    alice: Caller, body: dict[str, Any], pointer: str
) -> None:
    answer = await alice("POST", "/notifications/read", json=body)
    assert (answer.status, answer.code, answer.pointers) == (400, "invalid", [pointer])


async def test_a_cursor_of_another_list_is_refused(alice: Caller) -> None:
    for cursor in ("no-cursor", "WyJhIl0"):
        answer = await alice("GET", "/notifications", params={"cursor": cursor})
        assert (answer.status, answer.pointers) == (400, ["/cursor"])
