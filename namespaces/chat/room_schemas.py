"""The wire format of the ``/chat`` events about rooms and who is in them."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from parley.namespaces.chat.settings import MAX_MEMBERS, RETENTION_DAYS
from parley.namespaces.checks import Distinct, Fits, ZeroOr
from parley.namespaces.fields import (
    Described,
    RequestSchema,
    about,
    client_id,
    cursor,
    flag,
    matching,
    page_cursor,
    page_limit,
    position,
    room_id,
    user_id,
)
from parley.storage.models import ClientId, MemberState, Role, RoomId, RoomType, UserId

MAX_NAME = 80
NAME = r"[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*\Z"
MAX_DESCRIPTION = 500
MAX_FOUNDERS = 100  # named when a room is made
MAX_MUTE_MS = 366 * 24 * 3_600_000
MAX_SIGNAL = 4_096  # bytes, encoded
MAX_SEARCH = 80


def _name(**options: Any) -> fields.String:
    # It is shown on one line: a control character has no place in it.
    text = validate.Regexp(NAME, error="blank, or with control characters")
    checks = [validate.Length(min=1, max=MAX_NAME), text]
    return fields.String(validate=checks, **about("", "Tea"), **options)


class SettingsSchema(Described):
    """Settings of a room; those that are not named stay as they are."""

    is_private = flag(**about("Can be false in public rooms only; there it is false by default."))
    max_members = fields.Integer(strict=True, validate=validate.Range(2, MAX_MEMBERS))
    allowed_types = fields.List(
        fields.String(validate=validate.OneOf(["text", "image", "file"])),
        validate=[validate.Length(min=1, max=3), Distinct()],
    )
    mute_all = flag()
    require_approval = flag()
    retention_days = fields.Integer(
        strict=True,
        validate=ZeroOr(*RETENTION_DAYS),
        **about("0 takes it away: messages are kept as long as the server keeps them."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRoom:
    """Payload of ``create_room``."""

    name: str
    type: RoomType
    description: str | None = None
    members: list[UserId] = field(default_factory=list[UserId])
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    client_id: ClientId | None = None


class CreateRoomSchema(RequestSchema):
    """Load a `CreateRoom`."""

    makes = CreateRoom
    example: ClassVar = {"client_id": "01HZX3W8T5"}

    name = _name(required=True)
    type = fields.Enum(
        RoomType, by_value=True, required=True, validate=validate.NoneOf([RoomType.DIRECT])
    )
    description = fields.String(validate=validate.Length(min=1, max=MAX_DESCRIPTION))
    members = fields.List(
        user_id(),
        validate=validate.Length(max=MAX_FOUNDERS),
        **about("Members from the start, beside you."),
    )
    settings = fields.Nested(SettingsSchema, **about("What differs from the defaults."))
    client_id = client_id(
        **about("With it a retry finds the first room instead of making a second one.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRoom:
    """Payload of ``join_room`` and ``watch``."""

    room_id: RoomId
    since: str | None = None


class JoinRoomSchema(RequestSchema):
    """Load a `JoinRoom`."""

    makes = JoinRoom

    room_id = room_id(required=True)
    since = cursor(**about("Where to sync from; a member's read mark by default."))


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutMember:
    """Payload of ``invite``, ``approve``, ``kick``, ``ban`` and ``unban``."""

    room_id: RoomId
    user_id: UserId
    client_id: ClientId


class AboutMemberSchema(RequestSchema):
    """Load an `AboutMember`."""

    makes: ClassVar[type] = AboutMember

    room_id = room_id(required=True)
    user_id = user_id(required=True)
    client_id = client_id(required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute(AboutMember):
    """Payload of ``mute``."""

    muted_for_ms: int


class MuteSchema(AboutMemberSchema):
    """Load a `Mute`."""

    makes = Mute

    muted_for_ms = fields.Integer(
        strict=True,
        required=True,
        validate=validate.Range(0, MAX_MUTE_MS),
        **about("From now on, for at most 366 days. 0: she may speak again.", 600_000),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRole(AboutMember):
    """Payload of ``set_role``."""

    role: Role


class SetRoleSchema(AboutMemberSchema):
    """Load a `SetRole`."""

    makes = SetRole

    role = fields.Enum(
        Role,
        by_value=True,
        required=True,
        **about("`owner` hands the room over: you become an admin.", "admin"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChanges:
    """What ``update_room`` changes."""

    name: str | None = None  # None and {}: as it is
    description: str | None = None  # "" takes it away
    settings: dict[str, Any] = field(default_factory=dict[str, Any])


class RoomChangesSchema(RequestSchema):
    """Load `RoomChanges`."""

    makes = RoomChanges
    rule: ClassVar = {"minProperties": 1}
    example: ClassVar = {"name": "Coffee", "settings": {"mute_all": True}}

    name = _name()
    description = fields.String(
        validate=validate.Length(max=MAX_DESCRIPTION), **about("Empty: takes it away.")
    )
    settings = fields.Nested(SettingsSchema, **about("Those to change; the others stay."))

    @validates_schema
    def _changes_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("nothing to change")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRoom:
    """Payload of ``update_room``."""

    room_id: RoomId
    client_id: ClientId
    changes: RoomChanges
    if_rev: int | None = None  # only if nobody has changed the room since


class UpdateRoomSchema(RequestSchema):
    """Load an `UpdateRoom`."""

    makes = UpdateRoom

    room_id = room_id(required=True)
    client_id = client_id(required=True)
    changes = fields.Nested(RoomChangesSchema, required=True)
    if_rev = position(
        **about("The room's `rev` as you know it: fails if somebody has changed the room since.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRoom:
    """Payload of ``delete_room``."""

    room_id: RoomId
    client_id: ClientId


class DeleteRoomSchema(RequestSchema):
    """Load a `DeleteRoom`."""

    makes = DeleteRoom

    room_id = room_id(required=True)
    client_id = client_id(required=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRooms:
    """Payload of ``rooms``."""

    cursor: str | None = None
    limit: int = 1_000


class ListRoomsSchema(RequestSchema):
    """Load a `ListRooms`."""

    makes = ListRooms

    cursor = page_cursor(**about("The `next` of the page before."))
    limit = page_limit(1_000, **about("A page has fewer where it would be too large."))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMembers:
    """Payload of ``members``."""

    room_id: RoomId
    state: MemberState = MemberState.MEMBER
    cursor: str | None = None
    limit: int = 100


class ListMembersSchema(RequestSchema):
    """Load a `ListMembers`."""

    makes = ListMembers

    room_id = room_id(required=True)
    state = fields.Enum(
        MemberState, by_value=True, **about("Only owner and admins see others than members.")
    )
    cursor = page_cursor(**about("The `next` of the page before."))
    limit = page_limit(200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """Payload of ``discover``."""

    q: str = ""
    cursor: str | None = None
    limit: int = 50


class DiscoverSchema(RequestSchema):
    """Load a `Discover`."""

    makes = Discover
    example: ClassVar = {"q": "tea"}

    q = fields.String(
        validate=validate.Length(max=MAX_SEARCH), **about("What the name has to contain.")
    )
    cursor = page_cursor(**about("The `next` of the page before."))
    limit = page_limit(100)


_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Payload of ``signal``."""

    room_id: RoomId
    name: str
    data: Any = _ABSENT

    def to_wire(self) -> dict[str, Any]:
        """Return it as it goes on to the members; ``data`` only where there is some."""
        present = {} if self.data is _ABSENT else {"data": self.data}
        return {"room_id": self.room_id, "name": self.name, **present}


def signal_name() -> fields.String:
    """Return a field for the name of a signal."""
    error, told = "not 1 to 64 of A-Z a-z 0-9 . _ : -", about("The application's word for it.")
    return matching(r"[A-Za-z0-9._:-]{1,64}\Z", error, "cursor", required=True, **told)


def signal_data() -> fields.Raw:
    """Return a field for what a signal carries."""
    return fields.Raw(allow_none=True, validate=Fits(MAX_SIGNAL), **about("Any JSON."))


class SignalSchema(RequestSchema):
    """Load a `Signal`."""

    makes = Signal
    example: ClassVar = {"data": {"line": 3, "column": 14}}

    room_id = room_id(required=True)
    name = signal_name()
    data = signal_data()
