"""A server that is paused, killed, or says no: every call fails fast, in the words of storage."""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncGenerator, Iterator
from inspect import iscoroutinefunction
from typing import Any

import pytest

from parley.storage.base import MemberRepository, MessageRepository, RoomRepository, UserRepository
from parley.storage.errors import StorageError, StorageUnavailable
from parley.storage.inbox import NotificationRepository
from parley.storage.models import RoomId
from parley.storage.mongo.client import CLOSE_S
from parley.storage.mongo.database import MongoDatabase
from parley.storage.outgoing import MuteRepository, PublicationRepository, PushOutbox
from tests.mongod import Member, ReplicaSet
from tests.storage.drafts import ANN, append, new_room, said
from tests.storage.mongo.calls import CALLS, EVERY, ID
from tests.storage.mongo.failing import Failing
from tests.storage.stores import Store, mongo_store

pytestmark = pytest.mark.mongod

TIMEOUT_MS = 600
PATIENT_MS = 20_000  # where a busy machine is not to count as a failure
FAST_S = 6.0  # for all calls at once, on a small machine; they time out in rounds: see `turns`


def test_every_call_is_tried() -> None:
    """The table has all that the Protocols have."""
    for noun, protocol in {
        "rooms": RoomRepository,
        "members": MemberRepository,
        "messages": MessageRepository,
        "users": UserRepository,
        "notifications": NotificationRepository,
        "mutes": MuteRepository,
        "publications": PublicationRepository,
        "pushes": PushOutbox,
    }.items():
        methods = {name for name, method in vars(protocol).items() if iscoroutinefunction(method)}
        assert methods == {name for name in CALLS[noun] if " " not in name}


@pytest.fixture(scope="module")
def replica_set() -> Iterator[ReplicaSet]:
    replica_set = ReplicaSet(1)
    yield replica_set
    replica_set.close()


@pytest.fixture
def server(replica_set: ReplicaSet) -> Member:
    return replica_set.members[0]


@contextlib.asynccontextmanager
async def opened(replica_set: ReplicaSet, timeout_ms: int) -> AsyncGenerator[Store, None]:
    """Open a database of a test's own."""
    name = f"failures_{uuid.uuid4().hex}"
    async with MongoDatabase.open(replica_set.url, name, timeout_ms=timeout_ms) as database:
        yield mongo_store(database)


@pytest.fixture
async def store(replica_set: ReplicaSet) -> AsyncGenerator[Store, None]:
    async with opened(replica_set, TIMEOUT_MS) as store:
        yield store


@pytest.fixture
async def room_id(store: Store) -> RoomId:
    return await new_room(store, ANN)


async def outcomes(store: Store, room_id: RoomId) -> dict[str, Any]:
    """Make every call at once and return what each returned or raised."""
    async with asyncio.timeout(FAST_S):
        found = await asyncio.gather(
            *[call(store, room_id) for _, call in EVERY], return_exceptions=True
        )
    return dict(zip([name for name, _ in EVERY], found, strict=True))


def not_unavailable(found: dict[str, Any]) -> dict[str, Any]:
    """Return the calls that did not say that storage is away."""
    return {name: was for name, was in found.items() if not isinstance(was, StorageUnavailable)}


async def test_a_paused_server_is_unavailable_and_recovers(
    store: Store, room_id: RoomId, server: Member
) -> None:
    """Promise 12: nobody waits for long, and nothing has to be started again."""
    server.signal(signal.SIGSTOP)
    try:
        assert not_unavailable(await outcomes(store, room_id)) == {}
    finally:
        server.signal(signal.SIGCONT)
    await works_again(store)


async def test_a_killed_server_is_unavailable_and_recovers(
    store: Store, room_id: RoomId, server: Member, replica_set: ReplicaSet
) -> None:
    """Promise 12: what was acknowledged is there when it is back."""
    (stored,) = await append(store, room_id, said(ANN, "acked"))
    server.kill()
    try:
        assert not_unavailable(await outcomes(store, room_id)) == {}
    finally:
        server.start()
        await asyncio.to_thread(replica_set.primary)
    await works_again(store)
    assert await store.messages.get(stored.id) == stored


async def works_again(store: Store) -> None:
    """Return when it does; the driver looks for the server by itself."""
    while True:
        with contextlib.suppress(StorageUnavailable):
            room_id = await new_room(store, ANN)
            await append(store, room_id, said(ANN))
            break


async def test_closing_does_not_wait_for_a_paused_server(
    replica_set: ReplicaSet, server: Member
) -> None:
    """It has a second to say good-bye, where no write is under way."""
    async with contextlib.AsyncExitStack() as stack:
        opening = MongoDatabase.open(replica_set.url, "closing")
        store = mongo_store(await stack.enter_async_context(opening))
        await append(store, await new_room(store, ANN), said(ANN))
        server.signal(signal.SIGSTOP)
        try:
            with contextlib.suppress(StorageUnavailable):
                await store.messages.get(ID)  # now the driver looks for another server
            async with asyncio.timeout(CLOSE_S + 0.5):
                await stack.aclose()
        finally:
            server.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("code", "timeout_ms"),
    [(13, PATIENT_MS), (8_000, PATIENT_MS), (6, TIMEOUT_MS)],
    ids=["unauthorized", "unheard of", "unreachable"],
)
async def test_no_error_of_the_driver_leaves_storage(
    replica_set: ReplicaSet, server: Member, code: int, timeout_ms: int
) -> None:
    """Whatever the server answers to whatever call."""
    async with opened(replica_set, timeout_ms) as store:
        room_id = await new_room(store, ANN)
        with server.client() as client:
            failing = Failing(client)
            failing.commands(
                *("find", "insert", "update", "delete", "aggregate", "findAndModify"),
                *("count", "distinct", "commitTransaction", "getMore"),
                times=None,
                errorCode=code,
            )
            try:
                found = await outcomes(store, room_id)
            finally:
                failing.stop()
        assert {n: e for n, e in found.items() if not isinstance(e, StorageError)} == {}
        if code == 6:
            assert not_unavailable(found) == {}
        else:
            assert {n: e for n, e in found.items() if isinstance(e, StorageUnavailable)} == {}
        await works_again(store)
