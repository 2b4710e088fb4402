"""Rooms and who is in them. The rules of membership are here and only here."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.schemas import CreateRoom
from parley.namespaces.chat.wire import settings_of
from parley.namespaces.errors import ClientIdReused, Forbidden, NotFound, RoomFull
from parley.namespaces.session import Session
from parley.storage.base import MemberRepository, MessageRepository, RoomRepository
from parley.storage.ids import direct_room_id, new_id
from parley.storage.models import (
    Draft,
    Role,
    Room,
    RoomId,
    RoomType,
    Timestamp,
    UserId,
)

MAX_ROOMS = 1_000  # that one user is in


class _NoChange(Exception):
    """The row would change nothing, so it takes no position."""


class _Moved(Exception):
    """The room changed before the row's turn came; make the row anew."""


class RoomService:
    """Creates rooms, lets people in and out."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        rooms: RoomRepository,
        members: MemberRepository,
        messages: MessageRepository,
        drafts: Drafts,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._rooms = rooms
        self._members = members
        self._messages = messages
        self._drafts = drafts
        self._now = now

    async def create(self, session: Session, request: CreateRoom) -> OpenRoom:
        """Create a room with the session's user as owner and the named members.

        With a ``client_id`` a retry returns the first room. The session's socket stays out of
        the room until its sync hands it over.

        Raises:
            ClientIdReused: The client_id stands for another room.
            Forbidden: ``owner`` owns `MAX_ROOMS` rooms, or a member is in as many.
        """
        owner = session.user_id
        room_id = _room_id(owner, request)
        try:
            opened = await self._feeds.open(room_id)  # a retry: its ack was lost
        except NotFound:
            # Who was put into many rooms by others may still make one of her own.
            await self._check_count(owner, owned=True)
            for user_id in request.members:
                await self._check_count(user_id)
            opened = await self._create(owner, room_id, request)
            # Before its user's other sockets are called in: this one gets its sync by the ack.
            opened.feed.detach(session)
        if request.client_id is not None:
            await self._check_same(room_id, owner, request)
        return opened

    async def open_direct(self, one: UserId, other: UserId) -> OpenRoom:
        """Return the room of two users; both are members before its first message."""
        room_id = direct_room_id(one, other)
        try:
            return await self._feeds.open(room_id)
        except NotFound:
            room = self._room(room_id, "", RoomType.DIRECT, None, None)
            pair = (one, other)
            founding = [self._drafts.joined(user, by=one, reason="created") for user in pair]
            return await self._found(room, founding, pair)

    async def join(self, session: Session, room_id: RoomId) -> OpenRoom:
        """Make the session's user a member; one who is already changes nothing.

        The session's socket stays out of the room until its sync hands it over.

        Raises:
            NotFound: There is no such room.
            Forbidden: It is not open to everyone, or she is in `MAX_ROOMS` rooms.
            RoomFull: It has ``max_members``.
        """
        room = await self._feeds.open(room_id)
        if room.feed.is_member(session.user_id):
            return room
        await self._check_count(session.user_id)
        room = await self._feeds.open(room_id)
        # Before the row: else it would bring this socket in, live and without its cursor.
        room.feed.detach(session)

        def row() -> Draft:
            # Whoever enters a room that everybody left takes it over.
            role = Role.MEMBER if room.feed.room.owner is not None else Role.OWNER
            user_id = session.user_id
            return self._drafts.joined(user_id, by=user_id, role=role, reason="joined")

        try:
            await self._control(room, row, session.user_id, _may_join)
        except Exception:
            room.feed.release(session)
            raise
        return room

    async def leave(self, user_id: UserId, room_id: RoomId) -> None:
        """End a membership. Where there is none, or no such room, nothing changes.

        Raises:
            Forbidden: A direct room cannot be left.
        """
        try:
            room = await self._feeds.open(room_id)
        except NotFound:
            return
        if not room.feed.is_member(user_id):
            return
        if room.feed.room.type is RoomType.DIRECT:
            raise Forbidden("a direct room cannot be left", room_id=room_id)

        def row() -> Draft:
            return self._drafts.left(user_id, heir=_heir(room.feed, user_id))

        await self._control(room, row, user_id, _may_leave)

    async def _create(self, owner: UserId, room_id: RoomId, request: CreateRoom) -> OpenRoom:
        room = self._room(room_id, request.name, request.type, owner, request.description)
        others = dict.fromkeys(user for user in request.members if user != owner)
        founding = [
            self._drafts.founded(owner, request),
            *(self._drafts.joined(user, by=owner, reason="created") for user in others),
        ]
        return await self._found(room, founding, [owner, *others])

    async def _check_same(self, room_id: RoomId, owner: UserId, request: CreateRoom) -> None:
        """Raise `ClientIdReused` unless the room was made by this very request."""
        draft = self._drafts.founded(owner, request)
        first = await self._messages.stored(room_id, owner, draft.client_id)
        if first is not None and first.digest != draft.digest:
            raise ClientIdReused(client_id=request.client_id)

    async def _check_count(self, user_id: UserId, *, owned: bool = False) -> None:
        # Not exact when she joins in two places at once; the bound protects, it is no promise.
        if await self._members.count(user_id, owned=owned) >= MAX_ROOMS:
            raise Forbidden(f"{user_id} is in {MAX_ROOMS} rooms, which is the most")

    async def _found(
        self, room: Room, founding: Sequence[Draft], members: Iterable[UserId]
    ) -> OpenRoom:
        await self._rooms.create(room, founding)
        opened = await self._feeds.open(room.id)
        for user_id in members:
            self._feeds.announce_membership(user_id, room.id)
        return opened

    async def _control(
        self, room: OpenRoom, row: Callable[[], Draft], user_id: UserId, may: "_Rule"
    ) -> None:
        """Append the row about ``user_id``, made anew until it fits the position it takes."""
        while True:
            draft = row()
            try:
                await room.append(draft, partial(may, draft))
            except _Moved:
                continue
            except _NoChange:
                return
            self._feeds.announce_membership(user_id, room.feed.room.id)
            return

    def _room(
        self,
        room_id: RoomId,
        name: str,
        room_type: RoomType,
        owner: UserId | None,
        description: str | None,
    ) -> Room:
        now = self._now()
        return Room(
            id=room_id,
            name=name,
            type=room_type,
            description=description,
            owner=owner,
            created_at=now,
            updated_at=now,
            epoch=secrets.token_hex(4),
        )


def _room_id(owner: UserId, request: CreateRoom) -> RoomId:
    if request.client_id is None:
        return RoomId(new_id())
    # The same try names the same room, so that a lost ack does not leave two of them.
    named = f"{len(owner)}:{owner}{request.client_id}".encode()
    return RoomId(hashlib.sha256(named).hexdigest()[:24])


_Rule = Callable[[Draft, RoomFeed], None]


def _may_join(draft: Draft, feed: RoomFeed) -> None:
    if feed.is_member(draft.sender):
        raise _NoChange
    if feed.room.type is not RoomType.PUBLIC:
        raise NotFound("no such room", room_id=feed.room.id)
    if len(feed.members) >= settings_of(feed.room)["max_members"]:
        raise RoomFull(room_id=feed.room.id)
    if (draft.content["role"] == Role.OWNER) is not (feed.room.owner is None):
        raise _Moved


def _may_leave(draft: Draft, feed: RoomFeed) -> None:
    if not feed.is_member(draft.sender):
        raise _NoChange
    if draft.content.get("owner") != _heir(feed, draft.sender):
        raise _Moved


def _heir(feed: RoomFeed, leaving: UserId) -> UserId | None:
    """Return who owns the room when this user is gone: the oldest admin, else member."""
    if feed.room.owner != leaving:
        return None
    others = (m for m in feed.members.values() if m.user_id != leaving)
    ranked = sorted(others, key=lambda m: (m.role is not Role.ADMIN, m.joined_rev))
    return ranked[0].user_id if ranked else None
