"""Messages over HTTP: send, read, and what has not been read."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from marshmallow import fields, validate

from parley.namespaces.chat.message_shapes import MessageShape
from parley.namespaces.chat.reading import HistoryPage
from parley.namespaces.chat.schemas import (
    History,
    HistorySchema,
    SendMessage,
    SendMessageSchema,
    WrittenBy,
    WrittenBySchema,
)
from parley.namespaces.chat.shapes import ReadShape, ReceiptShape, UnreadShape
from parley.namespaces.chat.views import receipt_to_wire
from parley.namespaces.chat.wire import message_to_wire
from parley.namespaces.errors import (
    Gone,
    Invalid,
    Muted,
    NotFound,
    RejectedContent,
)
from parley.namespaces.fields import (
    Nothing,
    NothingSchema,
    RequestSchema,
    about,
    flag,
    message_id,
    page_cursor,
    position,
)
from parley.namespaces.paging import from_cursor, to_cursor
from parley.namespaces.shapes import Shape
from parley.server.http.api import Call, Reply, Routes, next_page, page_of
from parley.storage.models import MessageId, MessageType

routes = Routes("Messages", "Send, read, and see what you have not read.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage(SendMessage):
    """A message, and under which name it is sent."""

    type: MessageType = MessageType.CHAT


class PostMessageSchema(SendMessageSchema):
    """Load a `PostMessage`."""

    makes = PostMessage

    type = fields.Enum(
        MessageType,
        by_value=True,
        validate=validate.OneOf([MessageType.CHAT, MessageType.GROUP]),
        **about("They differ by name only; `chat` where it is left out."),
    )


@routes.add(
    "POST",
    "/messages/rooms/{room_id}",
    takes=PostMessageSchema,
    gives={200: ReceiptShape, 201: ReceiptShape},
    fails=[Muted, NotFound, Gone, RejectedContent],
    names={"message_id": "/id"},
)
async def send_message(call: Call, request: PostMessage) -> Reply:
    """Send a message to a room.

    201 if it is new, 200 with `duplicate` if it is a retry of one that is stored. Everybody in
    the room hears of it over Socket.IO.
    """
    receipt = await (await call.chat.messages.send(call.user_id, request, request.type))
    status = HTTPStatus.OK if receipt.duplicate else HTTPStatus.CREATED
    return Reply(receipt_to_wire(receipt), status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadHistory(History):
    """A page of a room's history, or the one after another."""

    cursor: str | None = None


class ReadHistorySchema(HistorySchema):
    """Load a `ReadHistory`."""

    makes = ReadHistory

    cursor = page_cursor(
        **about("The `next` of a page before: goes on from there, whatever else is asked for.")
    )


class HistoryPageShape(Shape):
    """A stretch of a room's history."""

    items = fields.List(
        fields.Nested(MessageShape), required=True, **about("By rising `seq`, whatever was asked.")
    )
    head = position(required=True, **about("Where the log ends."))
    more = flag(required=True, **about("Whether there is more in the direction asked."))
    next = next_page()


@routes.add(
    "GET",
    "/messages/rooms/{room_id}",
    takes=ReadHistorySchema,
    gives={200: HistoryPageShape},
    fails=[NotFound, Gone],
)
async def read_history(call: Call, request: ReadHistory) -> Reply:
    """Read a room's history.

    The newest messages, or those `before`, `after` or `around` a position; at most one of them.
    `next` goes on in the same direction; after `around` there is none.
    """
    wanted = request if request.cursor is None else _resumed(request, request.cursor)
    page = await call.chat.reading.history(call.user_id, wanted)
    following = _following(wanted, page)
    return Reply(
        {
            "items": [message_to_wire(message) for message in page.messages],
            "head": page.head,
            "more": page.more,
            **({} if following is None else {"next": following}),
        }
    )


def _resumed(request: ReadHistory, cursor: str) -> History:
    direction, seq = from_cursor(cursor, 2)
    if direction not in ("before", "after") or not re.fullmatch("[0-9]{1,16}", seq):
        raise Invalid.at("/cursor", "not a cursor of this list")
    return History(room_id=request.room_id, limit=request.limit, **{direction: int(seq)})


def _following(request: History, page: HistoryPage) -> str | None:
    if not page.more or not page.messages or request.around is not None:
        return None
    if request.after is not None:
        return to_cursor("after", str(page.messages[-1].seq))
    return to_cursor("before", str(page.messages[0].seq))


@routes.add(
    "GET",
    "/messages/users/{user_id}",
    takes=WrittenBySchema,
    gives={200: page_of(MessageShape, "MessagePageShape")},
)
async def list_messages_of_user(call: Call, request: WrittenBy) -> Reply:
    """List what a user wrote in rooms that you are in, newest first."""
    messages, following = await call.chat.reading.written_by(call.user_id, request)
    return Reply.page([message_to_wire(message) for message in messages], following)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMessage:
    """Names a message."""

    message_id: MessageId


class OneMessageSchema(RequestSchema):
    """Load a `OneMessage`."""

    makes = OneMessage

    message_id = message_id(required=True)


@routes.add(
    "POST",
    "/messages/{message_id}/read",
    takes=OneMessageSchema,
    gives={200: ReadShape},
    fails=[NotFound, Gone],
)
async def mark_read(call: Call, request: OneMessage) -> Reply:
    """Raise your read mark to a message.

    Everything before it in its room is read, too. The mark never goes back. The room, and your
    devices, hear of it.
    """
    room_id, read_seq, unread = await call.chat.reading.mark_read_upto(
        call.user_id, request.message_id
    )
    call.chat.ephemera.read(call.user_id, room_id, read_seq)
    return Reply({"read_seq": read_seq, "unread": unread.count})


@routes.add("GET", "/messages/unread/count", takes=NothingSchema, gives={200: UnreadShape})
async def count_unread(call: Call, _request: Nothing) -> Reply:
    """Count what you have not read, by room."""
    rooms = await call.chat.reading.unread(call.user_id)
    return Reply(
        {
            "unread": sum(unread.count for unread in rooms.values()),
            "mentions": sum(unread.mentions for unread in rooms.values()),
            "rooms": {
                room_id: {"unread": unread.count, "mentions": unread.mentions}
                for room_id, unread in rooms.items()
            },
        }
    )
