"""Rooms themselves: made, changed, deleted. Who is in them is in `membership`."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from parley.namespaces.chat import access
from parley.namespaces.chat.control import ControlRows
from parley.namespaces.chat.drafts import Asked, Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.followed import FollowedUsers
from parley.namespaces.chat.room_schemas import CreateRoom, DeleteRoom, RoomChanges, UpdateRoom
from parley.namespaces.chat.settings import setting, settings_of
from parley.namespaces.errors import (
    ClientError,
    ClientIdReused,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Stale,
)
from parley.namespaces.session import Session
from parley.storage.base import MemberRepository, MessageRepository, RoomRepository
from parley.storage.errors import EpochChanged, PositionTaken
from parley.storage.ids import direct_room_id
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


class RoomService:
    """Makes, changes and deletes rooms."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        users: FollowedUsers,
        rooms: RoomRepository,
        members: MemberRepository,
        messages: MessageRepository,
        control: ControlRows,
        drafts: Drafts,
        now: Callable[[], Timestamp],
        sweep_soon: Callable[[], None],
    ) -> None:
        """Take the parts; ``sweep_soon`` is told of each deletion, see `Retention`."""
        self._feeds = feeds
        self._users = users
        self._rooms = rooms
        self._members = members
        self._messages = messages
        self._control = control
        self._drafts = drafts
        self._now = now
        self._sweep_soon = sweep_soon

    async def create(
        self, owner: UserId, request: CreateRoom, *, session: Session | None = None
    ) -> OpenRoom:
        """Create a room with its owner and the named members.

        With a ``client_id`` a retry returns the first room. The ``session``'s socket stays out
        of the room until its sync hands it over.

        Raises:
            ClientIdReused: The client_id stands for another room.
            Forbidden: ``owner`` owns `MAX_ROOMS` rooms, or a member is in as many.
            Gone: The room was made before, and deleted.
            NotFound: She made it before, and has left. Forbidden, where it is open to everyone.
            Invalid: More members than ``max_members``, or a setting that its type cannot have.
        """
        room_id = _room_id(owner, request)
        try:
            opened = await self._feeds.open(room_id)  # a retry: its ack was lost
        except NotFound:
            opened = await self._create(owner, room_id, request)
            # Before its user's other sockets are called in: this one gets its sync by the ack.
            if session is not None:
                opened.feed.audience.detach(session)
        # Also of one just made: another request with this client_id may have been faster.
        await self._check_same(room_id, owner, request)
        # She may have left since, and what became of the room is not for her any more.
        access.member(opened.feed.room, opened.feed.members, owner)
        return opened

    async def open_direct(self, one: UserId, other: UserId) -> OpenRoom:
        """Return the room of two users; both are members before its first message."""
        room_id = direct_room_id(one, other)
        try:
            return await self._feeds.open(room_id)
        except NotFound:
            pair = (one, other)
            founding = [self._drafts.joined(user, by=one, reason="created") for user in pair]
            return await self._found(self._room(room_id, "", RoomType.DIRECT), founding, pair)

    async def update(self, user_id: UserId, request: UpdateRoom) -> OpenRoom:
        """Change a room's name, description or settings; what is so already changes nothing.

        Raises:
            NotFound, Forbidden: See `access.check`.
            Stale: The room is not as of ``if_rev`` any more.
            Invalid: A setting that its type cannot have.
        """
        room = await self._feeds.open(request.room_id)
        asked = Asked("update_room", request)

        def decide(feed: RoomFeed) -> Draft | None:
            self._control.check("update_room", feed, user_id)
            if request.if_rev is not None and request.if_rev != feed.room.rev:
                raise Stale(room_id=feed.room.id, rev=feed.room.rev)
            _check_settings(feed.room.type, request.changes.settings, "/changes/settings")
            changed = _changed(feed.room, request.changes)
            if not changed:
                return None
            return self._drafts.updated(user_id, {"changed": changed}, asked)

        await self._control.write(room, decide, by=user_id, asked=asked)
        return room

    async def delete(self, user_id: UserId, request: DeleteRoom) -> None:
        """Empty a room for good: its log, its members, its name. A retry is answered alike.

        Raises:
            NotFound, Forbidden: See `access.check`.
            Gone: Somebody else deleted it.
        """
        room_id = request.room_id
        try:
            room = await self._feeds.open(room_id)
            # Between two batches, or it would lose every race against a busy room.
            await room.lane.alone(partial(self._delete, room, user_id))
        except Gone:
            # A retry: the first try may have died before it told anyone, or by another node
            # that this one does not hear.
            snapshot = await self._rooms.get(room_id)
            if snapshot is None or not snapshot.room.deleted or snapshot.room.owner != user_id:
                raise
        self._sweep_soon()

    async def _delete(self, room: OpenRoom, user_id: UserId) -> None:
        feed, epoch = room.feed, secrets.token_hex(4)
        while True:
            await self._check_delete(feed, user_id)
            try:
                await self._rooms.delete(
                    feed.room.id,
                    epoch=feed.room.epoch,
                    after=feed.head,
                    new_epoch=epoch,
                    at=self._now(),
                )
            except PositionTaken:
                # Another node wrote. She may not be the owner any more: look again.
                await feed.catch_up()
            except EpochChanged:
                feed.drop()
                raise Gone("the room was deleted", room_id=feed.room.id) from None
            else:
                room.lane.refuse(Gone("the room was deleted", room_id=feed.room.id))
                await self._feeds.renew(feed.room.id, epoch)
                self._users.moved(feed.room.id, list(feed.members))
                return

    async def _check_delete(self, feed: RoomFeed, user_id: UserId) -> None:
        try:
            self._control.check("delete_room", feed, user_id)
        except ClientError:
            # She may be the owner by a row of another node that is not here yet.
            await feed.catch_up()
            self._control.check("delete_room", feed, user_id)

    async def _create(self, owner: UserId, room_id: RoomId, request: CreateRoom) -> OpenRoom:
        others = dict.fromkeys(user for user in request.members if user != owner)
        _check_settings(request.type, request.settings, "/settings")
        room = self._room(
            room_id,
            request.name,
            request.type,
            owner=owner,
            description=request.description,
            settings=request.settings,
        )
        if len(others) >= setting(room, "max_members"):
            raise Invalid.at("/members", "more than max_members")
        # Who was put into many rooms by others may still make one of her own.
        await self.check_count(owner, owned=True)
        for user_id in others:
            await self.check_count(user_id)
        founding = [
            self._drafts.joined(
                owner,
                by=owner,
                role=Role.OWNER,
                reason="created",
                asked=Asked("create_room", request),
            ),
            *(self._drafts.joined(user, by=owner, reason="created") for user in others),
        ]
        return await self._found(room, founding, [owner, *others])

    async def _check_same(self, room_id: RoomId, owner: UserId, request: CreateRoom) -> None:
        """Raise `ClientIdReused` unless the room was made by this very request."""
        if request.client_id is None:
            return
        first = await self._messages.stored(room_id, owner, request.client_id)
        digest = self._drafts.digest_of(Asked("create_room", request))
        if first is not None and first.digest != digest:
            raise ClientIdReused(client_id=request.client_id)

    async def check_count(self, user_id: UserId, *, owned: bool = False) -> None:
        """Raise `Forbidden` if the user is in `MAX_ROOMS` rooms, or owns as many.

        Not exact when she joins in two places at once; the bound protects, it is no promise.
        """
        if await self._members.count(user_id, owned=owned) >= MAX_ROOMS:
            raise Forbidden(f"{user_id} is in {MAX_ROOMS} rooms, which is the most")

    async def _found(
        self, room: Room, founding: Sequence[Draft], members: Iterable[UserId]
    ) -> OpenRoom:
        await self._rooms.create(room, founding)
        opened = await self._feeds.open(room.id)
        for user_id in members:
            self._users.announce(user_id, room.id, founding[0].sender)
        return opened

    def _room(
        self,
        room_id: RoomId,
        name: str,
        room_type: RoomType,
        *,
        owner: UserId | None = None,
        description: str | None = None,
        settings: dict[str, Any] | None = None,
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
            rev=1,
            epoch=secrets.token_hex(4),
            settings=settings or {},
        )


def _room_id(owner: UserId, request: CreateRoom) -> RoomId:
    if request.client_id is None:
        # Not `new_id`, which can be guessed from any other: the id of a room that is not listed
        # is what one asks with to be let in.
        return RoomId(secrets.token_hex(12))
    # The same try names the same room, so that a lost ack does not leave two of them.
    named = f"{len(owner)}:{owner}{request.client_id}".encode()
    return RoomId(hashlib.sha256(named).hexdigest()[:24])


def _check_settings(room_type: RoomType, settings: dict[str, Any], pointer: str) -> None:
    if room_type is not RoomType.PUBLIC and settings.get("is_private") is False:
        message = "only a public room can be listed and open to everyone"
        raise Invalid.at(f"{pointer}/is_private", message)


def _changed(room: Room, changes: RoomChanges) -> dict[str, Any]:
    """Return what would be another than it is."""
    changed: dict[str, Any] = {}
    if changes.name not in (None, room.name):
        changed["name"] = changes.name
    if changes.description is not None and changes.description != (room.description or ""):
        changed["description"] = changes.description
    present = {"retention_days": 0, **settings_of(room)}
    settings = {k: v for k, v in changes.settings.items() if present[k] != v}
    return {**changed, "settings": settings} if settings else changed
