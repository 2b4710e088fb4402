"""The wire format of the ``/notification`` events, and of publishing over HTTP."""

from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.checks import Distinct
from parley.namespaces.fields import (
    RequestSchema,
    about,
    client_id,
    cursor,
    flag,
    message_id,
    page_cursor,
    page_limit,
    position,
    room_id,
    user_id,
)
from parley.namespaces.notification import content
from parley.namespaces.shapes import time, true
from parley.storage.models import ClientId, RoomId, UserId
from parley.storage.notifications import NotificationId

MAX_IDS = 200  # of one request
MAX_KEY = 64
MAX_USERS = 500  # of one publication that names them


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotifications:
    """Payload of ``list``."""

    unread: bool | None = None
    cursor: str | None = None
    limit: int = 50


class ListNotificationsSchema(RequestSchema):
    """Load a `ListNotifications`."""

    makes = ListNotifications

    unread = flag(**about("true: only what was not read."))
    cursor = page_cursor(**about("The `next` of the page before."))
    limit = page_limit(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNotifications:
    """Payload of ``read``: one of its fields."""

    ids: list[NotificationId] | None = None
    up_to: int | None = None
    all: bool | None = None


class ReadNotificationsSchema(RequestSchema):
    """Load a `ReadNotifications`."""

    makes = ReadNotifications
    rule: ClassVar = {
        "oneOf": [{"required": ["ids"]}, {"required": ["up_to"]}, {"required": ["all"]}]
    }
    example: ClassVar = {"up_to": 41}

    ids = fields.List(message_id(), validate=validate.Length(min=1, max=MAX_IDS))
    up_to = position(**about("All with this `seq` or a smaller one."))
    all = true(**about("Every one, also one that you do not know yet."))

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("one of ids, up_to and all", field_name="ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNotifications:
    """Payload of ``delete``."""

    ids: list[NotificationId]


class DeleteNotificationsSchema(RequestSchema):
    """Load a `DeleteNotifications`."""

    makes = DeleteNotifications
    example: ClassVar = {"ids": ["6b03d82fcb6048fa857eefb9"]}

    ids = fields.List(message_id(), required=True, validate=validate.Length(min=1, max=MAX_IDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteRoom:
    """Payload of ``mute``."""

    room_id: RoomId
    muted: bool


class MuteRoomSchema(RequestSchema):
    """Load a `MuteRoom`."""

    makes = MuteRoom

    room_id = room_id(required=True)
    muted = flag(required=True, **about("false ends it.", True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncInbox:
    """Payload of ``sync`` and shape of ``auth.since``."""

    inbox: str | None


class SyncInboxSchema(RequestSchema):
    """Load a `SyncInbox`."""

    makes = SyncInbox

    inbox = cursor(required=True, allow_none=True, **about("null: the newest that were not read."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """One notification, and whom it is for: one of ``user_ids``, ``room_id`` and ``all``."""

    client_id: ClientId
    title: str
    body: str
    icon: str | None = None
    action: str | None = None
    data: dict[str, Any] | None = None
    user_ids: list[UserId] | None = None
    room_id: RoomId | None = None
    all: bool | None = None
    dedupe_key: str | None = None
    collapse_key: str | None = None
    expires_at: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """Return what the notification says."""
        said = {name: getattr(self, name) for name in content.NotificationContentSchema().fields}
        return {name: value for name, value in said.items() if value is not None}


def _key(description: str, example: str) -> fields.String:
    return fields.String(
        validate=validate.Length(min=1, max=MAX_KEY), **about(description, example)
    )


class PublishSchema(RequestSchema):
    """Load a `Publish`."""

    makes = Publish
    rule: ClassVar = {
        "oneOf": [{"required": ["user_ids"]}, {"required": ["room_id"]}, {"required": ["all"]}]
    }
    example: ClassVar = {"user_ids": ["alice", "bob"]}

    client_id = client_id(required=True)
    title = content.title(required=True)
    body = content.body(required=True)
    icon = content.icon()
    action = content.action()
    data = content.data()
    user_ids = fields.List(user_id(), validate=[validate.Length(min=1, max=MAX_USERS), Distinct()])
    room_id = room_id(**about("Who is inside and has not muted it."))
    all = true(**about("Everybody who has been seen."))
    dedupe_key = _key("Whoever has one with this key already gets no other.", "invoice-42")
    collapse_key = _key("It takes the place of one with the same key.", "build-status")
    expires_at = time(**about("When it ends by itself."))

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if sum(name in data for name in ("user_ids", "room_id", "all")) != 1:
            raise ValidationError("one of user_ids, room_id and all", field_name="user_ids")
