"""Who is connected, over HTTP."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from marshmallow import fields

from parley.namespaces.errors import Gone, NotFound
from parley.namespaces.fields import RequestSchema, about, page_cursor, page_limit, room_id, user_id
from parley.namespaces.paging import from_cursor, to_cursor
from parley.namespaces.requests import OneRoom, OneRoomSchema
from parley.namespaces.shapes import AnnouncementContentShape, Shape, count
from parley.server.http.api import Call, Reply, Routes, page_of
from parley.server.http.users import OneUser, OneUserSchema
from parley.storage.models import RoomId

ADMIN = "admin"

routes = Routes(
    "Connections", "Who is connected: for administrators everybody, for others whom they may see."
)

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
)
async def list_online(call: Call, request: ListOnline) -> Reply:
    """List who is online, by user id.

    Whom you may see, as in `/presence`: people who are in a room with you, and not those who
    appear offline. With the role `admin` it is everybody who is connected, on every node.
    """
    last = "" if request.cursor is None else from_cursor(request.cursor, 1)[0]
    if ADMIN in call.identity.roles:
        online = await call.services.connections.online()
        begin = bisect_right(online, last)
        page, more = online[begin : begin + request.limit], begin + request.limit < len(online)
    else:
        page, more = await call.services.presence.online(
            call.user_id, after=last, limit=request.limit
        )
    return Reply.page(page, to_cursor(page[-1]) if more else None)


@routes.add(
    "GET",
    "/connections/rooms/{room_id}",
    takes=OneRoomSchema,
    gives={200: UserPageShape},
    fails=[NotFound, Gone],
)
async def list_online_in_room(call: Call, request: OneRoom) -> Reply:
    """List who is online of a room, by user id.

    Of a room that you are in: its members who are online, and not those who appear offline.
    With the role `admin`, of any room: everybody whose sockets get its events.
    """
    if ADMIN in call.identity.roles:
        return Reply.page(await call.services.connections.in_room(request.room_id), None)
    return Reply.page(await call.services.presence.online_in(call.user_id, request.room_id), None)


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

    Their sockets hear `system` with the code `announcement`; at most once, and
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

    Her sockets hear `system` with the code `revoked`, and stock clients do not
    come back by themselves. With a token that is valid she may connect again.
    503 if a node has not answered, so that she may be connected there still: ask again.
    """
    return Reply({"sockets": await call.services.connections.disconnect(request.user_id)})
