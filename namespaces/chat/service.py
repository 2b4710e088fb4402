"""What is said in rooms: send, change, read. The rules of messages are here and only here."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from parley.namespaces.chat import access
from parley.namespaces.chat.drafts import Drafts
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.feeds import OpenRoom, RoomFeeds
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.schemas import (
    DeleteMessage,
    EditMessage,
    React,
    SendMessage,
    SendPrivate,
)
from parley.namespaces.chat.seams import Seams
from parley.namespaces.chat.write_queue import Check
from parley.namespaces.errors import ClientError, ClientIdReused, Forbidden, Gone, Invalid, NotFound
from parley.namespaces.promise import Promise
from parley.storage import fold
from parley.storage.base import MessageRepository
from parley.storage.errors import NotStored
from parley.storage.ids import direct_room_id
from parley.storage.models import (
    JSON,
    SPOKEN,
    Draft,
    Duplicate,
    Message,
    MessageId,
    MessageType,
    Outcome,
    RoomId,
    RowKind,
    Timestamp,
    UserId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Where a message has its place; a retry gets the first one's."""

    message: Message
    rev: int
    timestamp: Timestamp
    duplicate: bool


class MessageService:
    """Sends and changes messages."""

    def __init__(
        self,
        *,
        feeds: RoomFeeds,
        rooms: RoomService,
        messages: MessageRepository,
        drafts: Drafts,
        seams: Seams,
        now: Callable[[], Timestamp],
    ) -> None:
        self._feeds = feeds
        self._rooms = rooms
        self._messages = messages
        self._drafts = drafts
        self._seams = seams
        self._now = now

    async def send(
        self, author: UserId, request: SendMessage, message_type: MessageType
    ) -> Promise[Receipt]:
        """Give one message its place among the room's writes.

        Its order is fixed when this returns; it is on disk when the promise is kept, and only
        then it is shown to anyone. Both steps may raise.

        Raises:
            NotFound, Forbidden, Muted: See `access.check`.
            RejectedContent: The room does not take such content.
            RateLimited: Too many.
            Invalid: ``reply_to`` is no message of this room.
            ClientIdReused: The client_id stands for another request.
            Unavailable: Sending again is safe.
        """
        await self._seams.limit(author, message_type)
        await self._check_reply(request.room_id, author, request)
        # Opened last: an open room is used in the step that opened it.
        room = await self._feeds.open(request.room_id)
        draft = self._drafts.said(
            message_type,
            author,
            request.client_id,
            content=request.content,
            metadata=request.metadata,
        )
        return self._write(room, draft, self._seams.filter(request.content))

    async def send_private(
        self, author: UserId, request: SendPrivate
    ) -> tuple[RoomId, Promise[Receipt]]:
        """Do the same in the direct room of two users, which appears with its first message."""
        if request.to == author:
            raise Invalid.at("/to", "a private message needs somebody else")
        await self._seams.limit(author, MessageType.PRIVATE)
        room_id = direct_room_id(author, request.to)
        await self._check_reply(room_id, author, request)
        # Before the room: it does not appear for what is rejected.
        content = self._seams.filter(request.content)
        room = await self._rooms.open_direct(author, request.to)
        draft = self._drafts.said(
            MessageType.PRIVATE,
            author,
            request.client_id,
            content=request.content,
            metadata=request.metadata,
            to=request.to,
        )
        return room_id, self._write(room, draft, content)

    async def edit(self, author: UserId, request: EditMessage) -> Message:
        """Replace what a message says.

        Raises:
            NotFound, Forbidden: No such message, or somebody else's.
            Gone: It was deleted.
        """
        content = self._seams.filter(request.content)
        draft = self._drafts.changed(
            RowKind.EDIT,
            request.message_id,
            author,
            request.client_id,
            content=request.content,
        )

        def check(message: Message, feed: RoomFeed) -> bool:
            access.author(message, author)
            access.content_allowed(feed.room, content)
            if message.deleted:
                raise Gone(message_id=message.id)
            return message.content != content

        return await self._change(author, replace(draft, content=content), "edit_message", check)

    async def delete(self, user_id: UserId, request: DeleteMessage) -> Message:
        """Erase what a message says; its place stays. Who outranks its author may do so, too."""
        draft = self._drafts.changed(RowKind.DELETE, request.message_id, user_id, request.client_id)

        def check(message: Message, feed: RoomFeed) -> bool:
            if message.sender != user_id:
                author = feed.members.get(message.sender)
                access.outranks(feed.members[user_id], author, message.sender)
            return not message.deleted

        return await self._change(user_id, draft, "delete_message", check)

    async def react(self, user_id: UserId, request: React) -> Message:
        """Add or take back one reaction of the user."""
        draft = self._drafts.changed(
            RowKind.REACT,
            request.message_id,
            user_id,
            request.client_id,
            emoji=request.emoji,
            on=request.on,
        )

        def check(message: Message, _feed: RoomFeed) -> bool:
            if message.deleted:
                raise Gone(message_id=message.id)
            if request.on and fold.is_full(message, request.emoji):
                raise Invalid.at("/emoji", f"a message has at most {fold.MAX_EMOJI} of them")
            return (user_id in message.reactions.get(request.emoji, ())) is not request.on

        return await self._change(user_id, draft, "react", check)

    async def _change(
        self,
        user_id: UserId,
        draft: Draft,
        event: str,
        check: Callable[[Message, RoomFeed], bool],
    ) -> Message:
        """Append a change unless it changes nothing, and return the message's state."""
        await self._seams.limit(user_id, event)
        message, feed = await self._visible(user_id, draft.message_id)
        changed = await self._changed(message, feed, user_id, draft, event, check)
        if draft.kind is not RowKind.REACT:
            # By a retry, too: the first time may have died before it.
            self._seams.revise(feed.room, message.id)
        return changed

    async def _changed(
        self,
        message: Message,
        feed: RoomFeed,
        user_id: UserId,
        draft: Draft,
        event: str,
        check: Callable[[Message, RoomFeed], bool],
    ) -> Message:
        if message.type not in SPOKEN:
            raise Forbidden("only what people said can be changed", message_id=message.id)
        try:
            access.check(event, feed.room, feed.members, user_id, self._now())
            changes_something = check(message, feed)
        except ClientError:
            # A retry gets the first answer, whatever happened to the message since.
            first = await self._messages.stored(message.room_id, user_id, draft.client_id)
            if first is None:
                raise
            return _same_request(draft, first).message
        if not changes_something:
            first = await self._messages.stored(message.room_id, user_id, draft.client_id)
            return message if first is None else _same_request(draft, first).message
        room = await self._feeds.open(message.room_id)

        def allowed(feed: RoomFeed) -> None:
            access.check(event, feed.room, feed.members, user_id, self._now())
            check(message, feed)

        try:
            outcome = await room.append(draft, allowed)
        except NotStored:
            # It was purged since this looked at it.
            raise NotFound("no such message", message_id=message.id) from None
        return _same_request(draft, outcome).message

    def _write(self, room: OpenRoom, draft: Draft, content: JSON) -> Promise[Receipt]:
        """Queue a new message with filtered ``content``; its digest is that of what was sent."""
        if content is not draft.content:
            draft = replace(draft, content=content)
        return Promise(room.append(draft, may_say(draft, self._now)), partial(_receipt, draft))

    async def _visible(self, user_id: UserId, message_id: MessageId) -> tuple[Message, RoomFeed]:
        """Return a message that exists for a member, and its room."""
        message = await self._messages.get(message_id)
        if message is None:
            raise NotFound("no such message", message_id=message_id)
        feed = (await self._feeds.open(message.room_id, by=user_id)).feed
        await feed.reach(message.rev)  # another node may have written that she is out
        if feed.is_member(user_id) and access.sees(feed.members[user_id], message):
            return message, feed
        raise NotFound("no such message", message_id=message_id)

    async def _check_reply(
        self, room_id: RoomId, author: UserId, request: SendMessage | SendPrivate
    ) -> None:
        reply_to = request.content.get("reply_to")
        if reply_to is None:
            return
        try:
            message, _ = await self._visible(author, reply_to)
        except (NotFound, Gone):
            message = None
        if message is not None and message.room_id == room_id:
            return
        with contextlib.suppress(NotFound):
            await self._feeds.open(room_id)  # one that was deleted says so
        # A retry gets its first answer, whatever has become of what it replied to.
        if await self._messages.stored(room_id, author, request.client_id) is None:
            raise Invalid.at("/content/reply_to", "no message of this room")


def may_say(draft: Draft, now: Callable[[], Timestamp]) -> Check:
    """Return what a new message has to pass at its position."""

    def check(feed: RoomFeed) -> None:
        access.check(draft.type, feed.room, feed.members, draft.sender, now())
        access.content_allowed(feed.room, draft.content)

    return check


def _receipt(draft: Draft, outcome: Outcome) -> Receipt:
    _same_request(draft, outcome)
    message = outcome.message
    if isinstance(outcome, Duplicate):
        return Receipt(
            message=message, rev=outcome.rev, timestamp=outcome.created_at, duplicate=True
        )
    return Receipt(message=message, rev=message.rev, timestamp=message.created_at, duplicate=False)


def _same_request(draft: Draft, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Duplicate) and outcome.digest != draft.digest:
        raise ClientIdReused(client_id=draft.client_id)
    return outcome
