"""Payloads that events of several namespaces have in common, and HTTP with them."""

from dataclasses import dataclass

from parley.namespaces.fields import RequestSchema, room_id
from parley.storage.models import RoomId


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRoom:
    """Names a room."""

    room_id: RoomId


class OneRoomSchema(RequestSchema):
    """Load a `OneRoom`."""

    makes = OneRoom

    room_id = room_id(required=True)
