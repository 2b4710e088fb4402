"""The ``/chat`` namespace: events in, acks out. Thin; the rules are in the services."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from parley.namespaces.base import BaseNamespace
from parley.namespaces.chat import room_schemas, schemas, shapes
from parley.namespaces.chat.feed import RoomFeed
from parley.namespaces.chat.notices import NOTICES
from parley.namespaces.chat.resume import Resume, read_since
from parley.namespaces.chat.room_shapes import RoomViewShape
from parley.namespaces.chat.services import ChatServices
from parley.namespaces.chat.sync import Synchronizer
from parley.namespaces.chat.views import receipt_to_wire, view_of
from parley.namespaces.chat.wire import membership_to_wire, message_to_wire
from parley.namespaces.requests import OneRoom, OneRoomSchema
from parley.namespaces.session import Session
from parley.namespaces.shapes import NothingShape
from parley.namespaces.table import Answer, Later, handles
from parley.storage.models import Membership, MessageType, Timestamp


class ChatNamespace(BaseNamespace):
    """Translate ``/chat`` events into calls of the chat services; no rules here."""

    notices = NOTICES

    def __init__(
        self,
        *,
        services: ChatServices,
        sync: Synchronizer,
        resume: Resume,
        now: Callable[[], Timestamp],
        **door: Any,
    ) -> None:
        super().__init__("/chat", **door)
        self._rooms = services.rooms
        self._membership = services.membership
        self._moderation = services.moderation
        self._directory = services.directory
        self._messages = services.messages
        self._reading = services.reading
        self._ephemera = services.ephemera
        self._watching = services.watching
        self._sync = sync
        self._resume = resume
        self._now = now

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

    def fell_behind(self, sid: str, room: str) -> bool:
        """See `BaseNamespace`."""
        return self._sync.fell_behind(sid, room)

    # Rooms

    @handles("create_room", room_schemas.CreateRoomSchema, answers=shapes.CreatedShape)
    async def create(self, session: Session, request: room_schemas.CreateRoom) -> Answer:
        """Acknowledge with the room; this socket is live in it."""
        room = await self._rooms.create(session.user_id, request, session=session)
        return await self._enter(session, room.feed, None)

    @handles("room", OneRoomSchema, answers=RoomViewShape)
    async def room(self, session: Session, request: OneRoom) -> object:
        """Acknowledge with one room as the user sees it."""
        return await self._directory.room(session.user_id, request.room_id)

    @handles("rooms", room_schemas.ListRoomsSchema, answers=shapes.RoomListShape)
    async def list_rooms(self, session: Session, request: room_schemas.ListRooms) -> object:
        """Acknowledge with the user's rooms, and on the first page those she waits for."""
        mine = (await self._directory.mine(session.user_id, request)).to_wire("rooms")
        if request.cursor is None:
            mine["waiting"] = list(await self._directory.waiting(session.user_id))
        return mine

    @handles("discover", room_schemas.DiscoverSchema, answers=shapes.DiscoverShape)
    async def discover(self, session: Session, request: room_schemas.Discover) -> object:
        """Acknowledge with a page of listed rooms."""
        return (await self._directory.discover(session.user_id, request)).to_wire("rooms")

    @handles("update_room", room_schemas.UpdateRoomSchema, answers=RoomViewShape)
    async def update_room(self, session: Session, request: room_schemas.UpdateRoom) -> object:
        """Acknowledge with the room as it is now."""
        room = await self._rooms.update(session.user_id, request)
        return view_of(room.feed, session.user_id, self._now())

    @handles("delete_room", room_schemas.DeleteRoomSchema, answers=NothingShape)
    async def delete_room(self, session: Session, request: room_schemas.DeleteRoom) -> object:
        """Acknowledge when the room is emptied for good."""
        await self._rooms.delete(session.user_id, request)
        return {}

    @handles("watch", room_schemas.JoinRoomSchema, answers=shapes.WatchedShape)
    async def watch(self, session: Session, request: room_schemas.JoinRoom) -> Answer:
        """Acknowledge with the room and what ``since`` missed; this socket follows it live."""
        room = await self._watching.watch(session, request.room_id)
        return await self._enter(session, room.feed, request.since)

    @handles("unwatch", OneRoomSchema, answers=NothingShape)
    async def unwatch(self, session: Session, request: OneRoom) -> object:
        """Acknowledge when this socket follows the room no more."""
        await self._watching.unwatch(session, request.room_id)
        return {}

    # Members

    @handles("members", room_schemas.ListMembersSchema, answers=shapes.MemberListShape)
    async def members(self, session: Session, request: room_schemas.ListMembers) -> object:
        """Acknowledge with a page of who stands with the room in one way."""
        return (await self._directory.members(session.user_id, request)).to_wire("members")

    @handles("join_room", room_schemas.JoinRoomSchema, answers=shapes.JoinedShape)
    async def join(self, session: Session, request: room_schemas.JoinRoom) -> object:
        """Acknowledge with the room and what ``since`` missed; this socket is live in it.

        Where she has to be let in first, with the room and how she stands with it.
        """
        room = await self._membership.join(session.user_id, request.room_id, session=session)
        if not room.feed.is_member(session.user_id):
            return view_of(room.feed, session.user_id, self._now())
        return await self._enter(session, room.feed, request.since)

    @handles("leave_room", OneRoomSchema, answers=NothingShape)
    async def leave(self, session: Session, request: OneRoom) -> object:
        """Acknowledge when the user is not, and does not wait to be, in the room."""
        await self._membership.leave(session.user_id, request.room_id)
        return {}

    @handles("invite", room_schemas.AboutMemberSchema, answers=shapes.MembershipAckShape)
    async def invite(self, session: Session, request: room_schemas.AboutMember) -> object:
        """Acknowledge with how the invited user stands with the room."""
        return self._standing(await self._membership.invite(session.user_id, request))

    @handles("approve", room_schemas.AboutMemberSchema, answers=shapes.MembershipAckShape)
    async def approve(self, session: Session, request: room_schemas.AboutMember) -> object:
        """Acknowledge when the user who asked is a member."""
        return self._standing(await self._membership.approve(session.user_id, request))

    @handles("kick", room_schemas.AboutMemberSchema, answers=shapes.MembershipAckShape)
    async def kick(self, session: Session, request: room_schemas.AboutMember) -> object:
        """Acknowledge when the user is out."""
        return self._standing(await self._moderation.kick(session.user_id, request))

    @handles("ban", room_schemas.AboutMemberSchema, answers=shapes.MembershipAckShape)
    async def ban(self, session: Session, request: room_schemas.AboutMember) -> object:
        """Acknowledge when the user is out and cannot come back."""
        return self._standing(await self._moderation.ban(session.user_id, request))

    @handles("unban", room_schemas.AboutMemberSchema, answers=shapes.MembershipAckShape)
    async def unban(self, session: Session, request: room_schemas.AboutMember) -> object:
        """Acknowledge when the user may come back."""
        return self._standing(await self._moderation.unban(session.user_id, request))

    @handles("mute", room_schemas.MuteSchema, answers=shapes.MembershipAckShape)
    async def mute(self, session: Session, request: room_schemas.Mute) -> object:
        """Acknowledge when the user may not speak, or may again."""
        return self._standing(await self._moderation.mute(session.user_id, request))

    @handles("set_role", room_schemas.SetRoleSchema, answers=shapes.MembershipAckShape)
    async def set_role(self, session: Session, request: room_schemas.SetRole) -> object:
        """Acknowledge when the user has the role."""
        return self._standing(await self._moderation.set_role(session.user_id, request))

    # Messages

    @handles("chat", schemas.SendMessageSchema, answers=shapes.ReceiptShape, overlaps=True)
    async def chat(self, session: Session, request: schemas.SendMessage) -> Later:
        """Acknowledge with the message's place in its room."""
        receipt = await self._messages.send(session.user_id, request, MessageType.CHAT)
        return Later(receipt.then(receipt_to_wire))

    @handles("group", schemas.SendMessageSchema, answers=shapes.ReceiptShape, overlaps=True)
    async def group(self, session: Session, request: schemas.SendMessage) -> Later:
        """Do the same under the name ``group``."""
        receipt = await self._messages.send(session.user_id, request, MessageType.GROUP)
        return Later(receipt.then(receipt_to_wire))

    @handles(
        "private", schemas.SendPrivateSchema, answers=shapes.PrivateReceiptShape, overlaps=True
    )
    async def private(self, session: Session, request: schemas.SendPrivate) -> Later:
        """Acknowledge with the message's place and the direct room's id."""
        room_id, receipt = await self._messages.send_private(session.user_id, request)
        return Later(receipt.then(lambda r: {**receipt_to_wire(r), "room_id": room_id}))

    @handles("edit_message", schemas.EditMessageSchema, answers=shapes.ChangedShape)
    async def edit_message(self, session: Session, request: schemas.EditMessage) -> object:
        """Acknowledge with the message as it is now."""
        message = await self._messages.edit(session.user_id, request)
        return {"message": message_to_wire(message)}

    @handles("delete_message", schemas.DeleteMessageSchema, answers=shapes.ChangedShape)
    async def delete_message(self, session: Session, request: schemas.DeleteMessage) -> object:
        """Acknowledge with what is left of the message."""
        message = await self._messages.delete(session.user_id, request)
        return {"message": message_to_wire(message)}

    @handles("react", schemas.ReactSchema, answers=shapes.ChangedShape)
    async def react(self, session: Session, request: schemas.React) -> object:
        """Acknowledge with the message as it is now."""
        message = await self._messages.react(session.user_id, request)
        return {"message": message_to_wire(message)}

    # Reading

    @handles("history", schemas.HistorySchema, answers=shapes.HistoryShape)
    async def history(self, session: Session, request: schemas.History) -> object:
        """Acknowledge with a page of messages by rising ``seq``."""
        page = await self._reading.history(session.user_id, request)
        messages = [message_to_wire(message) for message in page.messages]
        return {"messages": messages, "head": page.head, "more": page.more}

    @handles("sync", schemas.SyncSchema, answers=shapes.SyncShape)
    async def sync(self, session: Session, request: schemas.Sync) -> Answer:
        """Acknowledge with what each cursor missed; rooms without ``more`` are live."""
        reply = await self._sync.read(session, request.rooms)
        return Answer({"rooms": reply.rooms}, then=reply.hand_over)

    @handles("read", schemas.ReadSchema, answers=shapes.ReadShape)
    async def read(self, session: Session, request: schemas.Read) -> object:
        """Acknowledge with the read mark; the room and the user's other devices hear of it."""
        room_id, user_id = request.room_id, session.user_id
        read_seq, unread = await self._reading.mark_read(user_id, room_id, request.seq)
        self._ephemera.read(user_id, room_id, read_seq, session=session)
        return {"read_seq": read_seq, "unread": unread.count}

    # At most once

    @handles("typing", schemas.TypingSchema, answers=NothingShape)
    async def typing(self, session: Session, request: schemas.Typing) -> object:
        """Acknowledge when the others in the room were told."""
        await self._ephemera.typing(session.user_id, request)
        return {}

    @handles("signal", room_schemas.SignalSchema, answers=NothingShape)
    async def signal(self, session: Session, request: room_schemas.Signal) -> object:
        """Acknowledge when the members' other sockets were told."""
        await self._ephemera.signal(session, request)
        return {}

    async def _enter(self, session: Session, feed: RoomFeed, since: str | None) -> Answer:
        reply = await self._sync.read(session, {feed.room.id: since})
        # No await from here: the view, the reply and the hand-over are of one moment.
        view = view_of(feed, session.user_id, self._now())
        part = reply.rooms[feed.room.id]
        has_all = part.get("more") is False  # and was not refused
        return Answer(
            {**view, "sync": part},
            then=reply.hand_over,
            acked=partial(self._resume.leave_out, session, feed.room.id) if has_all else None,
        )

    def _standing(self, membership: Membership | None) -> object:
        if membership is None:
            return {}
        return {"membership": membership_to_wire(membership, self._now())}
