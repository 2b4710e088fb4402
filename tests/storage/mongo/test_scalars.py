"""Only scalars reach a query (promise 17): what somebody wrote is never a name in a command."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.storage.models import (
    ClientId,
    MemberState,
    MessageId,
    RoomId,
    RoomType,
    Timestamp,
    UserId,
)
from parley.storage.mongo.database import MongoDatabase
from tests import mongod
from tests.storage.drafts import EPOCH, a_room, edited, founding, reacted, said, updated
from tests.storage.mongo.recorder import Recorder
from tests.storage.stores import Store, clear, mongo_store

pytestmark = [pytest.mark.mongo, pytest.mark.slow, pytest.mark.timeout(240)]

OPERATORS = ("$where", "$ne", "$gt", "$expr", "$$ROOT", "$name_key", "a.b", "$[]", "{'$gt': ''}")
MEANT = st.one_of(
    st.sampled_from(OPERATORS),
    st.text(alphabet="$.{}[]\"'\\/\x00*^ab:\u2028é", min_size=1, max_size=12),
)
VALUES = st.dictionaries(MEANT.filter(lambda key: "\x00" not in key), MEANT, max_size=3)


def names_in(value: Any) -> Iterator[str]:
    """Yield the names in a command, however deep."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        for name, inner in fields.items():
            yield name
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in cast("Iterable[Any]", value):
            yield from names_in(inner)


async def use(store: Store, text: str, other: str, content: Mapping[str, Any]) -> Any:
    """Write and read with these values at every place that takes one; return what was read."""
    user, room_id = UserId(f"u{text}"), RoomId(f"r{text}")
    mentioned = UserId(f"m{other}")
    room = a_room(room_id, RoomType.PUBLIC, name=text, description=other, settings=dict(content))
    await store.rooms.create(room, founding(user))
    await store.rooms.create(a_room(RoomId("~"), RoomType.PUBLIC, name="~~~"), [])
    await store.users.see(user, other, Timestamp(1))
    message = said(user, text, client_id=ClientId(f"c{text}"), metadata=content)
    message.content["mentions"] = [mentioned]  # type: ignore[index]
    drafts = [message, said(user, other, client_id=ClientId(f"d{other}"), to=UserId(other))]
    await store.messages.append(room_id, epoch=EPOCH, after=1, drafts=drafts)
    changes = [
        edited(user, message.id, other, client_id=ClientId(f"e{text}"), mentions=[mentioned]),
        reacted(user, message.id, text, client_id=ClientId(f"f{text}")),
        updated(user, name=other, settings=content),
    ]
    await store.messages.append(room_id, epoch=EPOCH, after=3, drafts=changes)
    return [
        await store.rooms.get(room_id),
        await store.rooms.heads([room_id]),
        await store.rooms.listed(containing=other, limit=5),
        await store.rooms.listed(after=("", RoomId(text)), limit=5),
        await store.rooms.page(after=RoomId(""), limit=1),
        await store.members.overviews(user, limit=5),
        await store.members.of_room(room_id, state=MemberState.MEMBER, limit=5),
        await store.members.mark_read(room_id, user, 4),
        await store.members.unread(user),
        await store.members.among(user, [room_id, RoomId(other)]),
        await store.messages.get(MessageId(message.id)),
        await store.messages.stored(room_id, user, ClientId(f"c{text}")),
        await store.messages.changes(room_id, after=0),
        await store.messages.unread(room_id, mentioned, after=0),
        await store.messages.written_by(user, reader=user, before=MessageId("~"), limit=5),
        await store.users.names([user]),
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=MEANT, other=MEANT, content=VALUES)
def test_a_value_is_never_more_than_a_value(text: str, other: str, content: dict[str, str]) -> None:
    """Commands have no other names than with plain words, and what was written comes back."""

    async def run() -> None:
        recorder = Recorder()
        async with MongoDatabase.open(
            mongod.url(), f"{mongod.DATABASE}_scalars", listeners=[recorder]
        ) as database:
            store, names = mongo_store(database), list[set[str]]()
            for words in (("word", "other", {"key": "value"}), (text, other, content)):
                await clear(database)
                recorder.commands.clear()
                check(await use(store, *words), *words)
                names.append(set(names_in(recorder.commands)))
            assert names[1] <= names[0]

    asyncio.run(run())


def check(read: Any, text: str, other: str, content: Mapping[str, Any]) -> None:
    snapshot, heads, listed, beyond, page, *_, names = read
    message = read[10]
    assert (snapshot.room.name, snapshot.room.description) == (other, other)
    assert dict(snapshot.room.settings) == content
    assert list(heads) == [snapshot.room.id] == [room.id for room in page]
    assert [found.room.id for found in listed] == [snapshot.room.id]
    assert {found.room.id for found in beyond} == {snapshot.room.id, "~"}
    assert (message.content["text"], message.metadata) == (other, content)
    assert dict(message.reactions) == {text: (UserId(f"u{text}"),)}
    assert read[13].mentions == 1
    assert list(names.values()) == [other]
