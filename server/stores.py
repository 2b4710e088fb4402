"""What everything is kept in: SQLite in the data folder, or MongoDB."""

import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from parley.namespaces.chat.assembly import ChatStorage
from parley.namespaces.notification.assembly import NotificationStorage
from parley.server.settings import Settings
from parley.storage.expiring import Bus
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inboxes:
    """Where notifications are kept, and what is on its way out."""

    storage: NotificationStorage
    pushes: PushOutbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What a node keeps things in."""

    chat: ChatStorage
    inboxes: Inboxes
    id: str  # of the database, wherever it is moved
    place: str | None  # None: any number of nodes may have it


@contextlib.asynccontextmanager
async def opened(settings: Settings, bus: Bus) -> AsyncIterator[Stores]:
    """Open MongoDB where one is named, else the data folder.

    Raises:
        DataFolderInUse: Another process has the data folder.
        StorageError: MongoDB does not answer, or is none that will do.
    """
    if settings.mongodb_url is None:
        async with Database.open(settings.data_dir) as database:
            place = f"{socket.gethostname()}:{settings.data_dir.resolve()}"
            yield _on_sqlite(database, bus, id=await database.store_id(), place=place)
    else:
        url, name = settings.mongodb_url, settings.mongodb_database
        async with MongoDatabase.open(url, name) as mongo:
            yield _on_mongo(mongo, bus, id=await mongo.store_id())


def _on_sqlite(database: Database, bus: Bus, *, id: str, place: str) -> Stores:
    chat = ChatStorage(
        rooms=SqliteRooms(database),
        members=SqliteMembers(database),
        messages=SqliteMessages(database),
        users=SqliteUsers(database),
        bus=bus,
    )
    storage = _notifications(
        chat,
        notifications=SqliteNotifications(database),
        mutes=SqliteMutes(database),
        publications=SqlitePublications(database),
    )
    inboxes = Inboxes(storage=storage, pushes=SqlitePushes(database))
    return Stores(chat=chat, inboxes=inboxes, id=id, place=place)


def _on_mongo(database: MongoDatabase, bus: Bus, *, id: str) -> Stores:
    chat = ChatStorage(
        rooms=MongoRooms(database),
        members=MongoMembers(database),
        messages=MongoMessages(database),
        users=MongoUsers(database),
        bus=bus,
    )
    storage = _notifications(
        chat,
        notifications=MongoNotifications(database),
        mutes=MongoMutes(database),
        publications=MongoPublications(database),
    )
    inboxes = Inboxes(storage=storage, pushes=MongoPushes(database))
    return Stores(chat=chat, inboxes=inboxes, id=id, place=None)


def _notifications(
    chat: ChatStorage,
    *,
    notifications: NotificationRepository,
    mutes: MuteRepository,
    publications: PublicationRepository,
) -> NotificationStorage:
    return NotificationStorage(
        notifications=notifications,
        mutes=mutes,
        publications=publications,
        messages=chat.messages,
        rooms=chat.rooms,
        members=chat.members,
        users=chat.users,
        bus=chat.bus,
    )
