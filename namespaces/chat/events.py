"""The ``/chat`` namespace: events in, acks out. Thin; the rules are in the services."""

from collections.abc import Awaitable, Mapping
from typing import Any

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat import access, schemas
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.reading import ReadingService
from parley.namespaces.chat.resume import Resume, read_since
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.service import MessageService
from parley.namespaces.chat.sync import Synchronizer
from parley.namespaces.chat.views import receipt_to_wire, room_view, summary_to_wire
from parley.namespaces.chat.wire import Notice, message_to_wire, room_key
from parley.namespaces.session import Session, user_room
from parley.namespaces.table import Answer, Later, handles
from parley.storage.models import MessageType

TYPING_MS = 12_000  # how long a typing sign holds without another one


class ChatNamespace(BaseNamespace):
    """Translate ``/chat`` events into calls of the chat services; no rules here."""

    def __init__(
        self,
        *,
        messages: MessageService,
        rooms: RoomService,
        reading: ReadingService,
        sync: Synchronizer,
        resume: Resume,
        **door: Any,
    ) -> None:
        super().__init__("/chat", **door)
        self._messages = messages
        self._rooms = rooms
        self._reading = reading
        self._sync = sync
        self._resume = resume

    # The life of a socket

    def check_auth(self, auth: Mapping[str, Any]) -> None:
        """Refuse an ``auth.since`` that is no object of cursors."""
        read_since(auth)

    async def connected(self, session: Session, auth: Mapping[str, Any]) -> None:
        """Enter the user's own room and begin the catch-up."""
        self._resume.begin(session, read_since(auth))

    async def disconnected(self, session: Session) -> None:
        """End the catch-up with its socket."""
        await self._resume.end(session)

    # Rooms

    @handles("create_room", schemas.CreateRoomSchema)
    async def create(self, session: Session, request: schemas.CreateRoom) -> Answer:
        """Acknowledge with the room; this socket is live in it."""
        room = await self._rooms.create(session, request)
        return await self._enter(session, room.feed, None)

    @handles("join_room", schemas.JoinRoomSchema)
    async def join(self, session: Session, request: schemas.JoinRoom) -> Answer:
        """Acknowledge with the room and what ``since`` missed; this socket is live in it."""
        room = await self._rooms.join(session, request.room_id)
        return await self._enter(session, room.feed, request.since)

    @handles("leave_room", schemas.LeaveRoomSchema)
    async def leave(self, session: Session, request: schemas.LeaveRoom) -> object:
        """Acknowledge when the membership has ended."""
        await self._rooms.leave(session.user_id, request.room_id)
        return {}

    @handles("rooms", schemas.NothingSchema)
    async def list_rooms(self, session: Session, request: object) -> object:
        """Acknowledge with the user's rooms."""
        mine = await self._reading.rooms(session.user_id)
        return {"rooms": [summary_to_wire(summary) for summary in mine]}

    # Messages

    @handles("chat", schemas.SendMessageSchema, overlaps=True)
    async def chat(self, session: Session, request: schemas.SendMessage) -> Later:
        """Acknowledge with the message's place in its room."""
        receipt = await self._messages.send(session.user_id, request, MessageType.CHAT)
        return Later(_placed(receipt))

    @handles("group", schemas.SendMessageSchema, overlaps=True)
    async def group(self, session: Session, request: schemas.SendMessage) -> Later:
        """Do the same under the name ``group``."""
        receipt = await self._messages.send(session.user_id, request, MessageType.GROUP)
        return Later(_placed(receipt))

    @handles("private", schemas.SendPrivateSchema, overlaps=True)
    async def private(self, session: Session, request: schemas.SendPrivate) -> Later:
        """Acknowledge with the message's place and the direct room's id."""
        room_id, receipt = await self._messages.send_private(session.user_id, request)
        return Later(_placed(receipt, room_id=room_id))

    @handles("edit_message", schemas.EditMessageSchema)
    async def edit_message(self, session: Session, request: schemas.EditMessage) -> object:
        """Acknowledge with the message as it is now."""
        message = await self._messages.edit(session.user_id, request)
        return {"message": message_to_wire(message)}

    @handles("delete_message", schemas.DeleteMessageSchema)
    async def delete_message(self, session: Session, request: schemas.DeleteMessage) -> object:
        """Acknowledge with what is left of the message."""
        message = await self._messages.delete(session.user_id, request)
        return {"message": message_to_wire(message)}

    @handles("react", schemas.ReactSchema)
    async def react(self, session: Session, request: schemas.React) -> object:
        """Acknowledge with the message as it is now."""
        message = await self._messages.react(session.user_id, request)
        return {"message": message_to_wire(message)}

    # Reading

    @handles("history", schemas.HistorySchema)
    async def history(self, session: Session, request: schemas.History) -> object:
        """Acknowledge with a page of messages by rising ``seq``."""
        page = await self._reading.history(session.user_id, request)
        messages = [message_to_wire(message) for message in page.messages]
        return {"messages": messages, "head": page.head, "more": page.more}

    @handles("sync", schemas.SyncSchema)
    async def sync(self, session: Session, request: schemas.Sync) -> Answer:
        """Acknowledge with what each cursor missed; rooms without ``more`` are live."""
        reply = await self._sync.read(session, request.rooms)
        return Answer({"rooms": reply.rooms}, then=reply.hand_over)

    @handles("read", schemas.ReadSchema)
    async def read(self, session: Session, request: schemas.Read) -> object:
        """Acknowledge with the read mark; the room and the user's other devices hear of it."""
        room_id, user_id = request.room_id, session.user_id
        read_seq, unread = await self._reading.mark_read(user_id, room_id, request.seq)
        notice = {"room_id": room_id, "user_id": user_id, "read_seq": read_seq}
        self.transport.broadcast(room_key(room_id), Notice.READ, notice, skip=[session.sid])
        return {"read_seq": read_seq, "unread": unread.count}

    @handles("typing", schemas.TypingSchema)
    async def typing(self, session: Session, request: schemas.Typing) -> object:
        """Tell the others in the room; at most once, and nothing is kept."""
        user_id = session.user_id
        room = await self._reading.conversation(user_id, request.room_id, request.to)
        if room is not None:
            notice = {"room_id": room.id, "user_id": user_id, "typing": request.typing}
            own = self.transport.sockets(user_room(user_id))
            self.transport.broadcast(
                room_key(room.id), Notice.TYPING, {**notice, "expires_in_ms": TYPING_MS}, skip=own
            )
        return {}

    async def _enter(self, session: Session, feed: RoomFeed, since: str | None) -> Answer:
        reply = await self._sync.read(session, {feed.room.id: since})
        # No await from here: the view, the reply and the hand-over are of one moment.
        membership = access.member(feed.room, feed.members, session.user_id)
        view = room_view(feed.room, feed.members, membership)
        return Answer({**view, "sync": reply.rooms[feed.room.id]}, then=reply.hand_over)


async def _placed(receipt: Awaitable[Any], **more: Any) -> object:
    return {**receipt_to_wire(await receipt), **more}
