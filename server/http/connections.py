"""Who is connected, over HTTP; for administrators."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from parley.namespaces.chat.room_schemas import OneRoom, OneRoomSchema
from parley.namespaces.errors import Gone, NotFound
from parley.namespaces.fields import RequestSchema, about, page_cursor, page_limit, room_id, user_id
from parley.namespaces.paging import from_cursor, to_cursor
from parley.namespaces.shapes import AnnouncementContentShape, Shape, count
from parley.server.http.api import Call, Reply, Routes, page_of
from parley.server.http.users import OneUser, OneUserSchema
from parley.storage.models import RoomId

ADMIN = "admin"

routes = Routes("Connections", "Who is connected. For administrators.")

UserPageShape = page_of(user_id(), "UserPageShape")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOnline:
    """Which page of those who are online."""

    cursor: str | None = None
    limit: int = 1_000


class ListOnlineSchema(RequestSchema):
    """Load a `ListOnline`."""

    makes = ListOnline

    cursor = page_cursor()
    limit = page_limit(1_000)


@routes.add(
    "GET",
    "/connections/online",
    takes=ListOnlineSchema,
    gives={200: UserPageShape},
    role=ADMIN,
)
async def list_online(call: Call, request: ListOnline) -> Reply:
    """List who is connected, by user id."""
    online = await call.services.connections.online()
    last = "" if request.cursor is None else from_cursor(request.cursor, 1)[0]
    begin = bisect_right(online, last)
    page = online[begin : begin + request.limit]
    more = begin + request.limit < len(online)
    return Reply.page(page, to_cursor(page[-1]) if more else None)


@routes.add(
    "GET",
    "/connections/rooms/{room_id}",
    takes=OneRoomSchema,
    gives={200: UserPageShape},
    fails=[NotFound, Gone],
    role=ADMIN,
)
async def list_online_in_room(call: Call, request: OneRoom) -> Reply:
    """List who is live in a room, by user id.

    Those whose sockets get its events, on this node.
    """
    return Reply.page(await call.services.connections.in_room(request.room_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """What to tell, and in which room; None: everywhere."""

    content: dict[str, Any]
    room_id: RoomId | None = None


class BroadcastSchema(RequestSchema):
    """Load a `Broadcast`."""

    makes = Broadcast

    content = fields.Nested(AnnouncementContentShape, required=True)
    room_id = room_id(**about("Only those who are live in this room. Left out: everyone."))


class SocketCountShape(Shape):
    """How many sockets something reached."""

    sockets = count(required=True)


@routes.add(
    "POST",
    "/connections/broadcast",
    takes=BroadcastSchema,
    gives={200: SocketCountShape},
    fails=[NotFound, Gone],
    role=ADMIN,
)
async def broadcast(call: Call, request: Broadcast) -> Reply:
    """Tell something to everyone who is connected, or who is live in a room.

    Their sockets on this node hear `system` with the code `announcement`; at most once, and
    nothing is kept. A client with several namespaces hears it in one, `/chat` if that is there.
    """
    sockets = await call.services.connections.announce(
        request.content, by=call.user_id, room_id=request.room_id
    )
    return Reply({"sockets": sockets})


@routes.add(
    "DELETE",
    "/connections/users/{user_id}",
    takes=OneUserSchema,
    gives={200: SocketCountShape},
    role=ADMIN,
)
async def disconnect_user(call: Call, request: OneUser) -> Reply:
    """Close every connection of a user.

    Her sockets on this node hear `system` with the code `revoked`, and stock clients do not
    come back by themselves. With a token that is valid she may connect again.
    """
    return Reply({"sockets": await call.services.connections.disconnect(request.user_id)})
