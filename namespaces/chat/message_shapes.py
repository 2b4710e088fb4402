"""The rows of a room's log as clients see them, described: one shape for each `MessageType`.

A row of any type is a `MessageShape`. Its live event is named by its type.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces import fields as shared
from parley.namespaces.chat.content import ContentSchema
from parley.namespaces.chat.drafts import STRANGER
from parley.namespaces.chat.room_schemas import MAX_MUTE_MS, RoomChangesSchema
from parley.namespaces.chat.settings import DEFAULTS
from parley.namespaces.chat.wire import LISTED_USERS
from parley.namespaces.fields import about
from parley.namespaces.shapes import Either, Shape, always, count, one_of, time, true
from parley.storage.fold import MAX_EMOJI
from parley.storage.models import MemberState, MessageType, Role

_KINDS: list[str] = DEFAULTS["allowed_types"]


class ReactionShape(Shape):
    """One emoji under a message."""

    emoji = fields.String(required=True, **about("", "👍"))
    count = count(required=True, **about("How many users.", 1))
    users = fields.List(
        shared.user_id(),
        required=True,
        validate=validate.Length(max=LISTED_USERS),
        **about("The first of them.", ["bob"]),
    )


class ContentShape(ContentSchema):
    """What a message says; an empty object once it is deleted."""

    rule: ClassVar = {
        "anyOf": [
            {"properties": {"message_type": {"const": kind}}, "required": [kind, "message_type"]}
            for kind in DEFAULTS["allowed_types"]
        ]
        + [{"maxProperties": 0}]
    }
    example: ClassVar = {**ContentSchema.example, "message_type": "text"}

    message_type = one_of(_KINDS, **about("Absent in a deleted message only."))

    @validates_schema
    def _has_its_part(self, data: dict[str, Any], **_: Any) -> None:
        if data and data.get("message_type") not in data:
            raise ValidationError("missing", field_name=data.get("message_type", "message_type"))


class _Row(Shape):
    """What every row of a log has."""

    type = one_of(MessageType, required=True)
    id = shared.message_id(required=True)
    room_id = shared.room_id(required=True)
    seq = shared.position(required=True, **about("Its place in the history.", 42))
    rev = shared.position(required=True, **about("Its latest change.", 42))
    prev = shared.position(**about("Live events only, where it is not `rev` - 1: see the rule."))
    sender = shared.user_id(data_key="from", required=True)
    client_id = shared.client_id(
        **about("The sender's. Absent where the server made the message.", "01HZX3W9A1")
    )
    timestamp = time(
        required=True,
        **about("When it was created. Do not sort by it.", "2026-03-01T09:30:00.000Z"),
    )


# What people said


class _Spoken(_Row):
    rule: ClassVar = {
        "if": {"required": ["deleted"]},
        "then": {
            "properties": {"content": {"maxProperties": 0}, "metadata": False, "reactions": False}
        },
        "else": {"properties": {"content": {"minProperties": 1}}},
    }

    content = fields.Nested(ContentShape, required=True, **about("`{}` once deleted."))
    metadata = shared.metadata(**about("As its sender gave it. Gone once deleted."))
    edited_at = time(**about("Of the last edit."))
    deleted = true(
        **about("Present if true. Text, metadata and reactions are erased in storage as well.")
    )
    reactions = fields.List(
        fields.Nested(ReactionShape),
        validate=validate.Length(min=1, max=MAX_EMOJI),
        **about("In the order in which they were first used."),
    )

    @validates_schema
    def _is_erased(self, data: dict[str, Any], **_: Any) -> None:
        if ("deleted" in data) is bool(data["content"]):
            raise ValidationError("a deleted message is empty, and no other", "content")
        if "deleted" in data and {"metadata", "reactions"} & set(data):
            raise ValidationError("not erased", "deleted")


class ChatShape(_Spoken):
    """A message to a room."""

    type = always(MessageType.CHAT)


class GroupShape(_Spoken):
    """A message to a room, under the name `group`."""

    type = always(MessageType.GROUP)


class PrivateShape(_Spoken):
    """A message of a direct room."""

    type = always(MessageType.PRIVATE)
    to = shared.user_id(required=True, **about("The other one.", "bob"))


# What happened to the room


class JoinContentShape(Shape):
    """Who came in, and how."""

    user_id = shared.user_id(required=True, **about("Who.", "bob"))
    role = one_of(Role, required=True)
    reason = one_of(
        ["created", "joined", "invited", "approved"],
        required=True,
        **about(
            "`created`: a member from the room's creation. `joined`: by herself. `invited`: she"
            " took an invitation, or was added over HTTP. `approved`: her request was granted.",
            "joined",
        ),
    )
    by = shared.user_id(**about("Who did it, where it was somebody else.", "alice"))


class LeaveContentShape(Shape):
    """Who is out, and why."""

    user_id = shared.user_id(required=True, **about("Who.", "bob"))
    reason = one_of(["left", "kicked", "banned"], required=True)
    by = shared.user_id(**about("Who did it, where it was somebody else.", "alice"))
    owner = shared.user_id(
        **about("Who owns the room from here on, if it was the owner who left.", "carol")
    )
    was = one_of(
        [MemberState.INVITED, MemberState.PENDING, STRANGER],
        **about("Where she was not inside: what she was. Absent where a member has left."),
    )


class MemberChangeShape(Shape):
    """What changed about one user; only `user_id`: she is not banned any more."""

    rule: ClassVar = {
        "oneOf": [
            {"required": ["state"]},
            {"required": ["role"]},
            {"required": ["muted_for_ms"]},
            {"maxProperties": 1},
        ]
    }

    user_id = shared.user_id(required=True, **about("Who.", "bob"))
    state = one_of(
        [MemberState.INVITED, MemberState.PENDING],
        **about("She was invited, or asks to be let in."),
    )
    role = one_of(Role, **about("Her new role. With `owner`, the one before becomes an admin."))
    muted_for_ms = fields.Integer(
        strict=True,
        validate=validate.Range(0, MAX_MUTE_MS),
        **about("From the row's `timestamp` on; 0: she may speak again.", 600_000),
    )

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data.keys() - {"user_id"}) > 1:
            raise ValidationError("at most one of state, role and muted_for_ms")


class UpdateContentShape(Shape):
    """What changed: the room itself, or one user's place in it."""

    rule: ClassVar = {"minProperties": 1, "maxProperties": 1}
    example: ClassVar = {"changed": {"name": "Coffee"}}

    changed = fields.Nested(
        RoomChangesSchema,
        **about("Of the room: `name`, `description` (empty: taken away), `settings`."),
    )
    member = fields.Nested(MemberChangeShape, **about("Of one user."))

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("either changed or member")


class JoinRoomShape(_Row):
    """Somebody is a member now."""

    type = always(MessageType.JOIN_ROOM)
    content = fields.Nested(JoinContentShape, required=True)


class LeaveRoomShape(_Row):
    """Somebody is not a member any more, or does not wait to be one."""

    type = always(MessageType.LEAVE_ROOM)
    content = fields.Nested(LeaveContentShape, required=True)


class RoomUpdateShape(_Row):
    """The room has changed, or somebody's place in it."""

    type = always(MessageType.ROOM_UPDATE)
    content = fields.Nested(UpdateContentShape, required=True)


ROWS: Mapping[str, type[Shape]] = {
    MessageType.CHAT: ChatShape,
    MessageType.GROUP: GroupShape,
    MessageType.PRIVATE: PrivateShape,
    MessageType.JOIN_ROOM: JoinRoomShape,
    MessageType.LEAVE_ROOM: LeaveRoomShape,
    MessageType.ROOM_UPDATE: RoomUpdateShape,
}


class MessageShape(Either):
    """A message in its present state: a row of a room's log, of any type."""

    by, shapes = "type", ROWS
