"""The wire format of every ``/chat`` event: one schema each, loading to a frozen dataclass."""

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.chat.content import ContentSchema
from parley.namespaces.fields import (
    RequestSchema,
    client_id,
    cursor,
    flag,
    message_id,
    metadata,
    position,
    room_id,
    user_id,
)
from parley.storage.models import ClientId, MessageId, RoomId, RoomType, UserId

MAX_SYNC_ROOMS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRoom:
    """Payload of ``create_room``."""

    name: str
    type: RoomType
    description: str | None = None
    members: list[UserId] = field(default_factory=list[UserId])
    client_id: ClientId | None = None


class CreateRoomSchema(RequestSchema):
    """Load a `CreateRoom`."""

    makes = CreateRoom

    name = fields.String(
        required=True,
        validate=[validate.Length(min=1, max=80), validate.Regexp(r"\s*\S", error="blank")],
    )
    type = fields.Enum(
        RoomType, by_value=True, required=True, validate=validate.NoneOf([RoomType.DIRECT])
    )
    description = fields.String(validate=validate.Length(min=1, max=500))
    members = fields.List(user_id(), validate=validate.Length(max=100))
    client_id = client_id()


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRoom:
    """Payload of ``join_room``."""

    room_id: RoomId
    since: str | None = None


class JoinRoomSchema(RequestSchema):
    """Load a `JoinRoom`."""

    makes = JoinRoom

    room_id = room_id(required=True)
    since = cursor()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveRoom:
    """Payload of ``leave_room``."""

    room_id: RoomId


class LeaveRoomSchema(RequestSchema):
    """Load a `LeaveRoom`."""

    makes = LeaveRoom

    room_id = room_id(required=True)


class NothingSchema(RequestSchema):
    """Load an empty object."""

    makes = dict


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """Payload of ``chat`` and ``group``."""

    room_id: RoomId
    client_id: ClientId
    content: dict[str, Any]
    metadata: dict[str, Any] | None = None


class SendMessageSchema(RequestSchema):
    """Load a `SendMessage`."""

    makes = SendMessage

    room_id = room_id(required=True)
    client_id = client_id(required=True)
    content = fields.Nested(ContentSchema, required=True)
    metadata = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPrivate:
    """Payload of ``private``."""

    to: UserId
    client_id: ClientId
    content: dict[str, Any]
    metadata: dict[str, Any] | None = None


class SendPrivateSchema(RequestSchema):
    """Load a `SendPrivate`."""

    makes = SendPrivate

    to = user_id(required=True)
    client_id = client_id(required=True)
    content = fields.Nested(ContentSchema, required=True)
    metadata = metadata()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditMessage:
    """Payload of ``edit_message``."""

    message_id: MessageId
    client_id: ClientId
    content: dict[str, Any]


class EditMessageSchema(RequestSchema):
    """Load an `EditMessage`."""

    makes = EditMessage

    message_id = message_id(required=True)
    client_id = client_id(required=True)
    content = fields.Nested(ContentSchema, required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMessage:
    """Payload of ``delete_message``."""

    message_id: MessageId
    client_id: ClientId


class DeleteMessageSchema(RequestSchema):
    """Load a `DeleteMessage`."""

    makes = DeleteMessage

    message_id = message_id(required=True)
    client_id = client_id(required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    """Payload of ``react``."""

    message_id: MessageId
    client_id: ClientId
    emoji: str
    on: bool


class ReactSchema(RequestSchema):
    """Load a `React`."""

    makes = React

    message_id = message_id(required=True)
    client_id = client_id(required=True)
    emoji = fields.String(required=True, validate=validate.Length(min=1, max=32))
    on = flag(required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """Payload of ``typing``: one of ``room_id`` and ``to``."""

    room_id: RoomId | None = None
    to: UserId | None = None
    typing: bool


class TypingSchema(RequestSchema):
    """Load a `Typing`."""

    makes = Typing

    room_id = room_id()
    to = user_id()
    typing = flag(required=True)

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if ("room_id" in data) == ("to" in data):
            raise ValidationError("one of room_id and to", field_name="room_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Payload of ``read``."""

    room_id: RoomId
    seq: int


class ReadSchema(RequestSchema):
    """Load a `Read`."""

    makes = Read

    room_id = room_id(required=True)
    seq = position(required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Payload of ``history``: at most one of ``before``, ``after`` and ``around``."""

    room_id: RoomId
    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int = 50


class HistorySchema(RequestSchema):
    """Load a `History`."""

    makes = History

    room_id = room_id(required=True)
    before = position()
    after = position()
    around = position()
    limit = fields.Integer(strict=True, validate=validate.Range(1, 200))

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        named = [name for name in ("before", "after", "around") if name in data]
        if len(named) > 1:
            raise ValidationError("only one of before, after, around", field_name=named[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """Payload of ``sync`` and shape of ``auth.since``."""

    rooms: dict[RoomId, str | None]


class SyncSchema(RequestSchema):
    """Load a `Sync`."""

    makes = Sync

    rooms = fields.Dict(
        keys=room_id(),
        values=cursor(allow_none=True),
        required=True,
        validate=validate.Length(max=MAX_SYNC_ROOMS),
    )
