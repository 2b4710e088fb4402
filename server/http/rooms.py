"""Rooms over HTTP: make, find, change, delete."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import hdrs
from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.chat.message_shapes import MessageShape
from parley.namespaces.chat.room_schemas import (
    MAX_SEARCH,
    CreateRoom,
    CreateRoomSchema,
    DeleteRoom,
    DeleteRoomSchema,
    Discover,
    ListRooms,
    UpdateRoom,
    UpdateRoomSchema,
)
from parley.namespaces.chat.room_shapes import RoomViewShape
from parley.namespaces.chat.views import view_of
from parley.namespaces.errors import Gone, NotFound, Stale
from parley.namespaces.fields import RequestSchema, about, flag, page_cursor, page_limit, position
from parley.namespaces.requests import OneRoom, OneRoomSchema
from parley.namespaces.shapes import NothingShape, Shape, count
from parley.server.http.api import Call, Reply, Routes, next_page

MAX_MINE = 1_000  # rooms of one page
MAX_PUBLIC = 100

routes = Routes("Rooms", "Make, find and change rooms.")


@routes.add(
    "POST",
    "/rooms",
    takes=CreateRoomSchema,
    gives={201: RoomViewShape},
    fails=[NotFound, Gone],
    tagged=True,
    names={"room_id": "/room/id"},
)
async def create_room(call: Call, request: CreateRoom) -> Reply:
    """Make a room.

    You become its owner. The users named in `members` are in it at once.
    """
    room = await call.chat.rooms.create(call.user_id, request)
    return _shown(view_of(room.feed, call.user_id, call.now()), HTTPStatus.CREATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRooms:
    """My rooms, or those that everybody may find."""

    public: bool = False
    q: str = ""
    cursor: str | None = None
    limit: int | None = None


class FindRoomsSchema(RequestSchema):
    """Load a `FindRooms`."""

    makes = FindRooms

    public = flag(**about("List the rooms that everybody may find, in place of yours."))
    q = fields.String(
        validate=validate.Length(max=MAX_SEARCH),
        **about("Only those with this in their name. With `public` only."),
    )
    cursor = page_cursor()
    limit = page_limit(MAX_MINE, **about(f"With `public` at most {MAX_PUBLIC}."))

    @validates_schema
    def _is_of_one_list(self, data: dict[str, Any], **_: Any) -> None:
        public = data.get("public", False)
        if "q" in data and not public:
            raise ValidationError("with public only", field_name="q")
        if public and data.get("limit", 0) > MAX_PUBLIC:
            raise ValidationError(f"at most {MAX_PUBLIC} with public", field_name="limit")


class ListedRoomShape(RoomViewShape):
    """A room in a list; what is not of every room is there for those you are in."""

    head = position(**about("Where the log ends."))
    read_seq = position(**about("Your read mark."))
    unread = count()
    mentions = count()
    last_message = fields.Nested(MessageShape, **about("The newest one you may see."))


class RoomPageShape(Shape):
    """A page of a list of rooms."""

    items = fields.List(fields.Nested(ListedRoomShape), required=True)
    waiting = fields.List(
        fields.Nested(RoomViewShape),
        **about(
            "Rooms that invite you, or that you asked to join. On the first page of yours only."
        ),
    )
    next = next_page()


@routes.add("GET", "/rooms", takes=FindRoomsSchema, gives={200: RoomPageShape})
async def list_rooms(call: Call, request: FindRooms) -> Reply:
    """List your rooms, or those that everybody may find.

    Yours come by id, with what you have not read; those of everybody by name.
    """
    limit = {} if request.limit is None else {"limit": request.limit}
    if request.public:
        wanted = Discover(q=request.q, cursor=request.cursor, **limit)
        found = await call.chat.directory.discover(call.user_id, wanted)
        return Reply(found.to_wire("items"))
    mine = ListRooms(cursor=request.cursor, **limit)
    found = await call.chat.directory.mine(call.user_id, mine)
    if request.cursor is not None:
        return Reply(found.to_wire("items"))
    waiting = await call.chat.directory.waiting(call.user_id)
    return Reply({**found.to_wire("items"), "waiting": list(waiting)})


@routes.add(
    "GET",
    "/rooms/{room_id}",
    takes=OneRoomSchema,
    gives={200: RoomViewShape},
    fails=[NotFound, Gone],
    tagged=True,
)
async def get_room(call: Call, request: OneRoom) -> Reply:
    """Look at a room that you are in, that invites you, or that everybody may find."""
    return _shown(await call.chat.directory.room(call.user_id, request.room_id))


@routes.add(
    "PUT",
    "/rooms/{room_id}",
    takes=UpdateRoomSchema,
    gives={200: RoomViewShape},
    fails=[NotFound, Gone, Stale],
    body="changes",
    tagged=True,
)
async def update_room(call: Call, request: UpdateRoom) -> Reply:
    """Change a room's name, description or settings.

    Only what the body names is changed. An empty `description` takes it away. With `If-Match`
    it changes nothing if somebody else changed the room since (412).
    """
    room = await call.chat.rooms.update(call.user_id, request)
    return _shown(view_of(room.feed, call.user_id, call.now()))


@routes.add(
    "DELETE",
    "/rooms/{room_id}",
    takes=DeleteRoomSchema,
    gives={200: NothingShape},
    fails=[NotFound, Gone],
)
async def delete_room(call: Call, request: DeleteRoom) -> Reply:
    """Delete a room for good.

    With everything that was said in it. Only its owner may.
    """
    await call.chat.rooms.delete(call.user_id, request)
    return Reply({})


def _shown(view: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(view, status, {hdrs.ETAG: f'"{view["room"]["rev"]}"'})
