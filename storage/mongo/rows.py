"""Rows that change a message or the room: placed and folded in one transaction.

So no read ever meets a row whose effect is still missing, and a crash in between leaves nothing
half done. It takes one wait for the majority, as a plain insert does.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from pymongo import UpdateOne

from parley.storage import fold
from parley.storage.errors import NotStored
from parley.storage.models import (
    Draft,
    Duplicate,
    Message,
    MessageId,
    Outcome,
    Room,
    RoomId,
    RowKind,
    Stored,
)
from parley.storage.mongo import requests
from parley.storage.mongo.control import RoomFold, memberships_of, users_named_in
from parley.storage.mongo.database import Document, MongoDatabase, Session
from parley.storage.mongo.documents import (
    head_of,
    room_from,
    row_of_change,
    row_of_create,
    state_of,
)
from parley.storage.mongo.logs import LogEnd, newest, settled_refusal
from parley.storage.mongo.requests import Request, request_of

R = TypeVar("R")


class _Refused(Exception):
    """The log does not end where it is expected to, as this transaction sees it."""


async def transact_at(
    database: MongoDatabase,
    room_id: RoomId,
    work: Callable[[Session, Room], Awaitable[R]],
    *,
    epoch: str,
    after: int,
) -> R:
    """Return ``work`` of a transaction and of a room whose log ends where it is expected to.

    Raises:
        NotStored, EpochChanged, PositionTaken: See `MessageRepository.append`; a majority has it.
    """

    async def at_end(session: Session) -> R:
        return await work(session, await _room_at(database, session, room_id, epoch, after))

    try:
        return await database.transact(at_end)
    except _Refused:
        # Undone as it is, the transaction has waited for no majority: see `settled_refusal`.
        looking = settled_refusal(database, room_id, epoch, after)
        raise await database.read(looking) from None


async def _room_at(
    database: MongoDatabase, session: Session, room_id: RoomId, epoch: str, after: int
) -> Room:
    document = await database.rooms.find_one({"_id": room_id}, session=session)
    if document is None:
        raise _Refused
    head = head_of(document, await newest(database, room_id, session))
    if LogEnd(head, document["deleted"]).refusal(room_id, epoch, after) is not None:
        raise _Refused
    return room_from(document)


async def place(
    database: MongoDatabase, session: Session, room: Room, after: int, drafts: Sequence[Draft]
) -> list[Outcome]:
    """Give each draft that is not a duplicate the next position, and write what comes of it."""
    batch = await _Batch.load(database, session, room, after, drafts)
    outcomes = [batch.place(draft) for draft in drafts]
    await batch.write(database, session)
    return outcomes


class _Batch:
    """What a batch needs to know, and what it will write."""

    def __init__(
        self,
        room_id: RoomId,
        rev: int,
        *,
        known: dict[Request, Duplicate],
        messages: dict[MessageId, Message],
        control: RoomFold,
    ) -> None:
        self._room_id = room_id
        self._rev = rev
        self._known = known
        self._messages = messages
        self._control = control
        self._rows: list[Document] = []
        self._changed = dict[MessageId, None]()
        self._deleted: list[MessageId] = []

    @classmethod
    async def load(
        cls,
        database: MongoDatabase,
        session: Session,
        room: Room,
        rev: int,
        drafts: Sequence[Draft],
    ) -> "_Batch":
        known = dict(
            await requests.stored(database, room.id, map(request_of, drafts), session)
            if drafts
            else {}
        )
        targets = {d.message_id for d in drafts if d.kind is not RowKind.CREATE}
        messages = await requests.messages_by_id(database, room.id, targets, session)
        messages |= {first.message.id: first.message for first in known.values()}
        users = users_named_in(room.id, filter(_is_control, drafts))
        members = await memberships_of(database, room.id, users, session)
        return cls(room.id, rev, known=known, messages=messages, control=RoomFold(room, members))

    def place(self, draft: Draft) -> Outcome:
        """Return the outcome of one draft, after those before it.

        Raises:
            NotStored: The message that it changes is not there.
        """
        first = self._known.get(request_of(draft))
        if first is not None:
            return replace(first, message=self._messages[first.message.id])
        create = draft.kind is RowKind.CREATE
        message = self._create(draft) if create else self._change(draft)
        self._rev = message.rev
        self._messages[message.id] = message
        self._known[request_of(draft)] = Duplicate(
            rev=message.rev, digest=draft.digest, created_at=draft.created_at, message=message
        )
        return Stored(message=message)

    def _create(self, draft: Draft) -> Message:
        message = fold.created(self._room_id, draft, self._rev + 1)
        self._rows.append(row_of_create(self._room_id, draft, message.rev))
        if message.is_control:
            self._control.apply(message)
        return message

    def _change(self, draft: Draft) -> Message:
        before = self._messages.get(draft.message_id)
        if before is None:
            raise NotStored(f"there is no message {draft.message_id} in room {self._room_id}")
        message = fold.changed(before, draft, self._rev + 1)
        self._rows.append(row_of_change(self._room_id, draft, message.rev, before))
        self._changed[message.id] = None
        if draft.kind is RowKind.DELETE:
            self._deleted.append(message.id)
        return message

    async def write(self, database: MongoDatabase, session: Session) -> None:
        """Write the rows, then what they add up to."""
        if not self._rows:
            return
        await database.messages.insert_many(self._rows, ordered=True, session=session)
        if self._changed:
            states = [UpdateOne({"_id": id}, state_of(self._messages[id])) for id in self._changed]
            await database.messages.bulk_write(states, session=session)
        if self._deleted:
            edits = {"message_id": {"$in": self._deleted}, "kind": RowKind.EDIT.value}
            await database.messages.update_many(edits, {"$unset": {"delta": ""}}, session=session)
        await self._control.write(database, session)


def _is_control(draft: Draft) -> bool:
    return draft.kind is RowKind.CREATE and fold.created(RoomId(""), draft, 0).is_control
