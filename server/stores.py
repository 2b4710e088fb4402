"""What everything is kept in: SQLite in the data folder, or MongoDB."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from parley.namespaces.chat.assembly import ChatStorage
from parley.namespaces.notification.assembly import NotificationStorage
from parley.server.settings import Settings
from parley.storage.base import NotificationRepository
from parley.storage.memory.bus import MemoryBus
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


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """Open MongoDB where one is named, else the data folder.

    Raises:
        DataFolderInUse: Another process has the data folder.
        StorageError: MongoDB does not answer, or is none that will do.
    """
    if settings.mongodb_url is None:
        async with Database.open(settings.data_dir) as database:
            yield _on_sqlite(database)
    else:
        url, name = settings.mongodb_url, settings.mongodb_database
        async with MongoDatabase.open(url, name) as mongo:
            yield _on_mongo(mongo)


def _on_sqlite(database: Database) -> Stores:
    chat = ChatStorage(
        rooms=SqliteRooms(database),
        members=SqliteMembers(database),
        messages=SqliteMessages(database),
        users=SqliteUsers(database),
        bus=MemoryBus(),
    )
    storage = _notifications(
        chat,
        notifications=SqliteNotifications(database),
        mutes=SqliteMutes(database),
        publications=SqlitePublications(database),
    )
    return Stores(chat=chat, inboxes=Inboxes(storage=storage, pushes=SqlitePushes(database)))


def _on_mongo(database: MongoDatabase) -> Stores:
    chat = ChatStorage(
        rooms=MongoRooms(database),
        members=MongoMembers(database),
        messages=MongoMessages(database),
        users=MongoUsers(database),
        bus=MemoryBus(),
    )
    storage = _notifications(
        chat,
        notifications=MongoNotifications(database),
        mutes=MongoMutes(database),
        publications=MongoPublications(database),
    )
    return Stores(chat=chat, inboxes=Inboxes(storage=storage, pushes=MongoPushes(database)))


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
