"""The wire format of the ``/presence`` events that clients send."""

from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.checks import Distinct
from parley.namespaces.fields import RequestSchema, about, flag, room_id, user_id
from parley.storage.models import RoomId, UserId
from parley.storage.presence import Status

MAX_USERS = 200  # of one request
MAX_LABEL = 64
LABEL = r"[^\x00-\x1f\x7f-\x9f]*\Z"


def label(**options: Any) -> fields.String:
    """Return a field for what is shown on one line."""
    # Of one form with a name of a room: a control character has no place in it.
    text = validate.Regexp(LABEL, error="with control characters")
    return fields.String(validate=[validate.Length(max=MAX_LABEL), text], **options)


def _users(**options: Any) -> fields.List[str]:
    checks = [validate.Length(min=1, max=MAX_USERS), Distinct()]
    return fields.List(user_id(), validate=checks, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Payload of ``set_status``; None: as it was."""

    status: Status
    invisible: bool | None = None
    device: str | None = None
    location: str | None = None


class SetStatusSchema(RequestSchema):
    """Load a `SetStatus`."""

    makes = SetStatus

    status = fields.Enum(
        Status,
        by_value=True,
        required=True,
        validate=validate.NoneOf([Status.OFFLINE]),
        **about("Of this device.", "away"),
    )
    invisible = flag(
        **about("Of you: appear offline to others, on all devices, until you take it back.")
    )
    device = label(**about("What this device is called. Empty: taken away.", "phone"))
    location = label(**about("Where it is, in any words. Empty: taken away.", "on the train"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUsers:
    """Payload of ``subscribe`` and ``get``."""

    user_ids: list[UserId]


class NamedUsersSchema(RequestSchema):
    """Load a `NamedUsers`."""

    makes = NamedUsers

    user_ids = _users(required=True, **about("", ["alice", "bob"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Payload of ``unsubscribe``."""

    user_ids: list[UserId] | None = None
    room_id: RoomId | None = None


class UnsubscribeSchema(RequestSchema):
    """Load an `Unsubscribe`."""

    makes = Unsubscribe
    rule: ClassVar = {"anyOf": [{"required": ["user_ids"]}, {"required": ["room_id"]}]}
    example: ClassVar = {"user_ids": ["alice"]}

    user_ids = _users()
    room_id = room_id()

    @validates_schema
    def _names_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("user_ids or room_id", field_name="user_ids")
