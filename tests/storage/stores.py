"""Every implementation of the durable Protocols, opened for a test."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from parley.storage.base import MemberRepository, MessageRepository, RoomRepository, UserRepository
from parley.storage.inbox import NotificationRepository
from parley.storage.mongo.database import MongoDatabase
from parley.storage.mongo.members import MongoMembers
from parley.storage.mongo.messages import MongoMessages
from parley.storage.mongo.mutes import MongoMutes
from parley.storage.mongo.notifications import MongoNotifications
from parley.storage.mongo.publications import MongoPublications
from parley.storage.mongo.pushes import MongoPushes
from parley.storage.mongo.rooms import MongoRooms
from parley.storage.mongo.users import MongoUsers
from parley.storage.outgoing import MuteRepository, PublicationRepository, PushOutbox
from parley.storage.sqlite.database import Database
from parley.storage.sqlite.members import SqliteMembers
from parley.storage.sqlite.messages import SqliteMessages
from parley.storage.sqlite.mutes import SqliteMutes
from parley.storage.sqlite.notifications import SqliteNotifications
from parley.storage.sqlite.publications import SqlitePublications
from parley.storage.sqlite.pushes import SqlitePushes
from parley.storage.sqlite.rooms import SqliteRooms
from parley.storage.sqlite.users import SqliteUsers
from tests import mongod


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The repositories of one store."""

    rooms: RoomRepository
    members: MemberRepository
    messages: MessageRepository
    users: UserRepository
    notifications: NotificationRepository
    mutes: MuteRepository
    publications: PublicationRepository
    pushes: PushOutbox


def sqlite_store(database: Database) -> Store:
    """Return the repositories of ``database``."""
    return Store(
        rooms=SqliteRooms(database),
        members=SqliteMembers(database),
        messages=SqliteMessages(database),
        users=SqliteUsers(database),
        notifications=SqliteNotifications(database),
        mutes=SqliteMutes(database),
        publications=SqlitePublications(database),
        pushes=SqlitePushes(database),
    )


def mongo_store(database: MongoDatabase) -> Store:
    """Return the repositories of ``database``."""
    return Store(
        rooms=MongoRooms(database),
        members=MongoMembers(database),
        messages=MongoMessages(database),
        users=MongoUsers(database),
        notifications=MongoNotifications(database),
        mutes=MongoMutes(database),
        publications=MongoPublications(database),
        pushes=MongoPushes(database),
    )


@asynccontextmanager
async def _open_sqlite(folder: Path) -> AsyncGenerator[Store, None]:
    async with Database.open(folder) as database:
        yield sqlite_store(database)


@asynccontextmanager
async def empty_mongo(url: str) -> AsyncGenerator[MongoDatabase, None]:
    """Open the database of this run of the tests, without what an earlier test left in it.

    Emptied and not made anew: its indexes take longer than most tests.
    """
    async with MongoDatabase.open(url, mongod.DATABASE) as database:
        await clear(database)
        yield database


async def clear(database: MongoDatabase) -> None:
    """Remove everything but the indexes."""
    for collection in (
        *(database.rooms, database.members, database.messages),
        *(database.users, database.revisions, database.inbox, database.muted_rooms),
        *(database.publications, database.checkpoints),
    ):
        await collection.delete_many({})


@asynccontextmanager
async def _open_mongo(_: Path) -> AsyncGenerator[Store, None]:
    async with empty_mongo(mongod.url()) as database:
        yield mongo_store(database)


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Store]]] = {
    "sqlite": _open_sqlite,
    "mongo": _open_mongo,
}
"""What opens an empty store by its name, over a new folder."""

NAMES = ["sqlite", pytest.param("mongo", marks=pytest.mark.mongo)]
"""The same, for tests that take every one."""

LONG = [pytest.mark.mongo, pytest.mark.slow, pytest.mark.timeout(240)]
NAMES_FOR_LONG = ["sqlite", pytest.param("mongo", marks=LONG)]
"""The same, for tests that make thousands of calls: each is a round trip to a server."""
