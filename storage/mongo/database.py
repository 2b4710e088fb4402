"""The database of a cluster: a replica set, reached by one client."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import pymongo
from bson.timestamp import Timestamp
from pymongo import AsyncMongoClient, ReadPreference, ReturnDocument, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern

from parley.storage.errors import OutcomeUnknown
from parley.storage.ids import new_id
from parley.storage.mongo.client import CLOSE_S, connected
from parley.storage.mongo.errors import translated_reads, translated_transaction, translated_write
from parley.storage.mongo.heads import KnownHeads
from parley.storage.mongo.migrations import migrate
from parley.storage.mongo.turns import READS, WRITES, Turns

logger = logging.getLogger(__name__)

Document = dict[str, Any]
Collection = AsyncCollection[Document]
Session = AsyncClientSession
R = TypeVar("R")

TIMEOUT_MS = 2_000  # of one operation with all its retries: shorter than a lane's deadline

# Acknowledged means: on the disks of a majority. An election does not take it back.
DURABLE = WriteConcern("majority", j=True)
MAJORITY = ReadConcern("majority")
SNAPSHOT = ReadConcern("snapshot")


class MongoDatabase:
    """The collections, and the four ways to use them: read, view, write, transact."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        """Use `open`."""
        self.name = name
        self._client = client
        self._database: AsyncDatabase[Document] = client.get_database(
            name,
            read_preference=ReadPreference.PRIMARY,
            read_concern=MAJORITY,
            write_concern=DURABLE,
        )
        self.rooms: Collection = self._database["rooms"]
        self.members: Collection = self._database["members"]
        self.messages: Collection = self._database["messages"]  # every row of every log
        self.users: Collection = self._database["users"]
        self.revisions: Collection = self._database["membership_revisions"]
        self.inbox: Collection = self._database["inbox"]  # every row of every inbox
        self.muted_rooms: Collection = self._database["muted_rooms"]
        self.publications: Collection = self._database["publications"]
        self.checkpoints: Collection = self._database["checkpoints"]
        self.schema: Collection = self._database["schema"]
        self.holder = new_id()  # this process, in what one node at a time may work on
        self.heads = KnownHeads()
        self._seen: Timestamp | None = None  # the newest moment that this process knows of
        self._writes = set[asyncio.Task[Any]]()
        # Apart: what is said does not wait behind a crowd that reads.
        self._reading, self._writing = Turns(READS), Turns(WRITES)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        name: str,
        *,
        timeout_ms: int = TIMEOUT_MS,
        listeners: Sequence[CommandListener] = (),
    ) -> AsyncGenerator[Self, None]:
        """Connect, bring the indexes up to date, and close in the end what was opened.

        At the end every write that began is finished, as far as the server answers.

        Args:
            timeout_ms: Of one operation, with the driver's own retries.
            listeners: Told of every command, by the driver.

        Raises:
            StorageUnavailable: No primary answers.
            StorageError: It is none that will do (see `client.connected`), or was used by a newer
                release.
        """
        async with connected(url, timeout_ms, listeners) as client:
            database = cls(client, name)
            with translated_reads():
                await migrate(database._database)
            try:
                yield database
            finally:
                await database._finish()

    async def store_id(self) -> str:
        """Return what this database is known by; whoever asks first makes it."""
        return await self.write(self._store_id())

    async def _store_id(self) -> str:
        made = {"$setOnInsert": {"id": secrets.token_hex(8)}}
        with translated_write():
            try:
                found: Any = await self._database["store"].find_one_and_update(
                    {"_id": "store"}, made, upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:  # two nodes at once
                raise OutcomeUnknown("MongoDB: another node has named the store") from None
        return str(found["id"])

    async def read(self, reading: Coroutine[Any, Any, R]) -> R:
        """Return what ``reading`` returns.

        In a task of its own: a handler may begin without one (`namespaces.eager`), and the
        driver keeps its deadline in the context of the task.
        """
        task = asyncio.create_task(self._read(reading))
        # One that is cancelled before its first step never comes to await it.
        task.add_done_callback(lambda _: reading.close())
        task.add_done_callback(_retrieve)
        try:
            # Not the task itself: the driver may swallow that it is cancelled, and return. Then
            # whoever has ended the caller would wait for its end without end.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise

    async def view(self, query: Callable[[Session], Awaitable[R]]) -> R:
        """Return ``query`` of one moment, which has all that was acknowledged before."""

        async def reading() -> R:
            # A snapshot is of what the server takes for the newest moment, so let it be one that
            # has what this process knows of: see `_in_order`.
            await self.schema.find_one({}, {"_id": 1})
            async with self._client.start_session(snapshot=True) as session:
                return await query(session)

        return await self.read(reading())

    async def write(self, writing: Coroutine[Any, Any, R]) -> R:
        """Return what ``writing`` returns; cancelling the caller does not stop it.

        A write that was cancelled half-way may have happened or not. So it goes on by itself,
        and the next try of the same finds what there is.
        """
        task = self._begun(self._write(writing))
        task.add_done_callback(lambda _: writing.close())  # as in `read`
        return await asyncio.shield(task)

    async def carry_out(self, work: Coroutine[Any, Any, R]) -> R:
        """Do the same with ``work`` that takes its turns itself.

        If it held one all the while, it would wait for another of the kind: see `Turns`.
        """
        return await asyncio.shield(self._begun(work))

    def _begun(self, writing: Coroutine[Any, Any, R]) -> "asyncio.Task[R]":
        task = asyncio.create_task(writing)
        self._writes.add(task)
        task.add_done_callback(self._written)
        return task

    async def transact(self, work: Callable[[Session], Awaitable[R]]) -> R:
        """Return ``work`` of a transaction once it is durable; see `write`.

        ``work`` runs again where others wrote meanwhile. What it raises undoes everything.

        Raises:
            StorageUnavailable: Nothing was written.
            OutcomeUnknown: All of it may be written.
        """
        return await self.write(self._transact(work))

    async def _transact(self, work: Callable[[Session], Awaitable[R]]) -> R:
        # All its steps and tries together take no longer than one operation may.
        with translated_transaction(), pymongo.timeout(self._client.options.timeout):
            async with self._session() as session:
                return await session.with_transaction(
                    work,
                    read_concern=SNAPSHOT,
                    write_concern=DURABLE,
                    read_preference=ReadPreference.PRIMARY,
                )

    async def _read(self, reading: Coroutine[Any, Any, R]) -> R:
        # All its steps together take no longer than one operation may; each would begin anew.
        async with self._reading.next():
            with translated_reads(), pymongo.timeout(self._client.options.timeout):
                return await self._in_order(reading)

    async def _write(self, writing: Coroutine[Any, Any, R]) -> R:
        async with self._writing.next():
            return await self._in_order(writing)

    async def _in_order(self, calls: Coroutine[Any, Any, R]) -> R:
        """Let calls see whatever this process has seen or written.

        A primary that was just elected has it, but may not know yet that a majority has it; its
        reads would be older for a moment, and a log shorter.
        """
        async with self._session() as session, session.bind(end_session=False):
            return await calls

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[Session, None]:
        async with self._client.start_session(causal_consistency=True) as session:
            if self._seen is not None:
                session.advance_operation_time(self._seen)
            yield session
            # Not after an error: what is not durable may never be, and nobody shall wait for it.
            seen = session.operation_time
            if seen is not None and (self._seen is None or seen > self._seen):
                self._seen = seen

    def _written(self, task: "asyncio.Task[Any]") -> None:
        self._writes.discard(task)
        _retrieve(task)

    async def finished(self) -> None:
        """Wait until every write that began has ended, also those nobody waits for any more."""
        while self._writes:
            await asyncio.wait(self._writes)

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.finished()
        except TimeoutError:
            logger.warning("%d writes were not finished", len(self._writes))
            for task in self._writes:
                task.cancel()


def _retrieve(task: "asyncio.Task[Any]") -> None:
    """Ask how a task has ended: whoever waited may be gone, and nobody else does."""
    if not task.cancelled():
        task.exception()
