"""Every implementation of the durable Protocols, opened for a test."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from parley.storage.base import (
    MemberRepository,
    MessageRepository,
    NotificationRepository,
    RoomRepository,
    UserRepository,
)
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


@asynccontextmanager
async def _open_sqlite(folder: Path) -> AsyncGenerator[Store, None]:
    async with Database.open(folder) as database:
        yield sqlite_store(database)


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Store]]] = {
    "sqlite": _open_sqlite,
}
"""What opens a store by its name; the same folder is the same store."""
