"""The wire format of the ``/chat`` events about messages; `room_schemas` has the others."""

from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.chat.content import ContentSchema
from parley.namespaces.fields import (
    RequestSchema,
    about,
    client_id,
    cursor,
    flag,
    message_id,
    metadata,
    page_cursor,
    page_limit,
    position,
    room_id,
    user_id,
)
from parley.storage.models import ClientId, MessageId, RoomId, UserId

MAX_SYNC_ROOMS = 500


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
    metadata = metadata(**about("The application's."))


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

    to = user_id(required=True, **about("Somebody else.", "bob"))
    client_id = client_id(required=True)
    content = fields.Nested(ContentSchema, required=True)
    metadata = metadata(**about("The application's."))


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
    emoji = fields.String(
        required=True,
        validate=validate.Length(min=1, max=32),
        **about("Any text; the server does not judge it.", "👍"),
    )
    on = flag(required=True, **about("false takes it back.", True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """Payload of ``typing``: one of ``room_id`` and ``to``."""

    room_id: RoomId | None = None
    to: UserId | None = None
    typing: bool


class TypingSchema(RequestSchema):
    """Load a `Typing`."""

    makes = Typing
    rule: ClassVar = {"oneOf": [{"required": ["room_id"]}, {"required": ["to"]}]}
    example: ClassVar = {"room_id": "6b03d82fcb6048fa857eefb8"}

    room_id = room_id()
    to = user_id(**about("The other one of a direct room."))
    typing = flag(required=True, **about("false ends it at once.", True))

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
    seq = position(required=True, **about("", 41))


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
    rule: ClassVar = {
        "allOf": [
            {"not": {"required": ["before", "after"]}},
            {"not": {"required": ["before", "around"]}},
            {"not": {"required": ["after", "around"]}},
        ]
    }
    example: ClassVar = {"before": 41, "limit": 20}

    room_id = room_id(required=True)
    before = position(**about("The newest with a smaller `seq`."))
    after = position(**about("The oldest with a larger `seq`."))
    around = position(**about("Half of the page before it, the rest from it on."))
    limit = fields.Integer(strict=True, validate=validate.Range(1, 200))

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        named = [name for name in ("before", "after", "around") if name in data]
        if len(named) > 1:
            raise ValidationError("only one of before, after, around", field_name=named[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBy:
    """What to list of one author's messages."""

    user_id: UserId
    cursor: str | None = None
    limit: int = 50


class WrittenBySchema(RequestSchema):
    """Load a `WrittenBy`."""

    makes = WrittenBy

    user_id = user_id(required=True)
    cursor = page_cursor()
    limit = page_limit(200)


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
        **about(
            "null: from my read mark on.",
            {
                "6b03d82fcb6048fa857eefb8": "11e0994e.41",
                "d-b4179539700098894e2382d2bb62248d": None,
            },
        ),
    )
