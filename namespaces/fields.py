"""Fields that payloads share, and the base of every event's schema."""

import re
from typing import Any, ClassVar

import orjson
from marshmallow import Schema, ValidationError, fields, post_load, validate

MAX_POSITION = 2**53 - 1
MAX_METADATA = 4_096  # bytes, encoded


class RequestSchema(Schema):
    """Loads a payload to the dataclass `makes`; an unknown field is an error, not a surprise."""

    makes: ClassVar[type]

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return self.makes(**data)


# Scalars. \Z, not $: "$" would let a trailing newline through.
def _matching(pattern: str, error: str, **options: Any) -> fields.String:
    check = validate.Regexp(re.compile(pattern), error=error)
    return fields.String(validate=check, **options)


def user_id(**options: Any) -> fields.String:
    """Return a field for a user id."""
    return _matching(r"[A-Za-z0-9._@-]{1,64}\Z", "not a user id", **options)


def room_id(**options: Any) -> fields.String:
    """Return a field for a room id."""
    return _matching(r"(?:[0-9a-f]{24}|d-[0-9a-f]{32})\Z", "not a room id", **options)


def message_id(**options: Any) -> fields.String:
    """Return a field for a message id."""
    return _matching(r"[0-9a-f]{24}\Z", "not a message id", **options)


def client_id(**options: Any) -> fields.String:
    """Return a field for the id of a request."""
    return _matching(
        r"(?!sys:)[A-Za-z0-9._:-]{8,64}\Z", "not 8 to 64 of A-Z a-z 0-9 . _ : -", **options
    )


class Flag(fields.Boolean):
    """True or false and nothing that equals them; stock takes 1, 0 and many words."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("not true or false")
        return value


def flag(**options: Any) -> fields.Boolean:
    """Return a field for true or false."""
    return Flag(**options)


def position(**options: Any) -> fields.Integer:
    """Return a field for a place in a log."""
    return fields.Integer(strict=True, validate=validate.Range(0, MAX_POSITION), **options)


def cursor(**options: Any) -> fields.String:
    """Return a field for ``epoch.rev``."""
    return _matching(r"[0-9a-f]{8}\.(?:0|[1-9][0-9]{0,15})\Z", "not a cursor", **options)


def metadata() -> fields.Dict:
    """Return a field for an object of the application's own."""
    return fields.Dict(keys=fields.String(), validate=_fits_metadata)


def _fits_metadata(value: Any) -> None:
    if len(orjson.dumps(value)) > MAX_METADATA:
        raise ValidationError(f"larger than {MAX_METADATA} bytes")
