"""What every namespace sends, described: errors, times, and the kinds of shape.

A shape is a strict marshmallow schema. It takes no part in serving: `to_wire` functions make what
goes out. The documents for clients (OpenAPI, AsyncAPI, docs/protocol.md) come from shapes or are
compared with them, and tests hold all that a running server says to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from parley.namespaces.errors import ClientError
from parley.namespaces.fields import Described, about, flag, matching, metadata, user_id
from parley.namespaces.wire import SystemCode

MAX_ANNOUNCEMENT = 4_000  # code points


class Shape(Described):
    """An object that goes out; another field than these is an error."""

    class Meta:
        """Strict, whatever marshmallow's default is."""

        unknown = RAISE


class Either(Schema):
    """One of several shapes, told apart by the field `by`."""

    by: ClassVar[str]
    shapes: ClassVar[Mapping[str, type[Schema]]]

    def load(self, data: Any, **_: Any) -> Any:
        """Load the shape that the data says it has."""
        if not isinstance(data, Mapping):
            raise ValidationError("not an object")
        said = cast("Mapping[str, Any]", data)
        which = said.get(self.by)
        if not isinstance(which, str) or which not in self.shapes:
            raise ValidationError({self.by: [f"not one of {', '.join(self.shapes)}"]})
        return _made(self.shapes[which]).load(said)


@cache
def _made(shape: type[Schema]) -> Schema:
    return shape()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event that the server sends."""

    shape: type[Schema]
    at_most_once: bool = False  # lost with the connection, and nobody asks for it again


# Fields


def time(**options: Any) -> fields.String:
    """Return a field for a moment: RFC 3339 in UTC with three decimals and ``Z``."""
    day, hour = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}:[0-9]{2}"
    return matching(
        rf"{day}T{hour}\.[0-9]{{3}}Z\Z", "not a time", "2026-03-01T09:30:00.000Z", **options
    )


def count(most: int | None = None, **options: Any) -> fields.Integer:
    """Return a field for how many."""
    return fields.Integer(strict=True, validate=validate.Range(0, most), **options)


def one_of(values: Iterable[str], **options: Any) -> fields.String:
    """Return a field for one of a few words."""
    return fields.String(validate=validate.OneOf([str(value) for value in values]), **options)


def always(value: str, **options: Any) -> fields.String:
    """Return a required field that tells a shape from others."""
    return fields.String(required=True, validate=validate.Equal(str(value)), **options)


def true(**options: Any) -> fields.Boolean:
    """Return a field that is there only where it is true."""
    return flag(validate=validate.Equal(True), **options)


# Shapes


class NothingShape(Shape):
    """An empty object."""


class ErrorShape(Shape):
    """Why a request failed."""

    code = one_of(
        (error.code for error in ClientError.__subclasses__()),
        required=True,
        **about("What went wrong, for programs.", "forbidden"),
    )
    message = fields.String(
        required=True,
        **about("A sentence for developers. Do not compare it.", "not a member of this room"),
    )
    retryable = flag(required=True, **about("Whether the same request may work later."))
    retry_after_ms = count(**about("Not before this many milliseconds.", 1_500))
    details = fields.Dict(
        keys=fields.String(),
        **about("Depends on the code.", {"room_id": "6b03d82fcb6048fa857eefb8"}),
    )


class ErrorBodyShape(Shape):
    """The body of an HTTP response that is no success."""

    error = fields.Nested(ErrorShape, required=True)


class RefusalShape(Shape):
    """The ack of an event that failed."""

    ok = flag(required=True, validate=validate.Equal(False))
    error = fields.Nested(ErrorShape, required=True)


# The codes of ``system`` that every namespace has


class ConnectedShape(Shape):
    """The first event after CONNECT."""

    code = always(SystemCode.CONNECTED)
    user_id = user_id(required=True, **about("You."))
    server_id = fields.String(required=True, **about("Another one after a restart.", "n1-5f0c1f9e"))


class AnnouncementContentShape(Shape):
    """What the operator says."""

    text = fields.String(required=True, validate=validate.Length(min=1, max=MAX_ANNOUNCEMENT))
    metadata = metadata()


class AnnouncementShape(Shape):
    """The operator says something."""

    code = always(SystemCode.ANNOUNCEMENT)
    content = fields.Nested(AnnouncementContentShape, required=True)
    sender = user_id(data_key="from", required=True, **about("", "operator"))


class DrainingShape(Shape):
    """The server is being stopped; the end of the connection follows. Come back by yourself."""

    code = always(SystemCode.DRAINING)
    retry_after_ms = count(
        required=True,
        **about("Not before this many milliseconds; each client is told another time.", 1_500),
    )


class RevokedShape(Shape):
    """You were sent away; a DISCONNECT follows."""

    code = always(SystemCode.REVOKED)


class RejectedShape(Shape):
    """An event of yours failed, and you had not asked for an ack."""

    code = always(SystemCode.REJECTED)
    event = fields.String(
        required=True, validate=validate.Length(max=64), **about("Its name.", "chat")
    )
    error = fields.Nested(ErrorShape, required=True)
