"""Fields that payloads share, and the base of every event's schema."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validate

from parley.namespaces.checks import Fits

MAX_POSITION = 2**53 - 1
MAX_METADATA = 4_096  # bytes, encoded


class Described(Schema):
    """A schema with what documents say about it, beside its fields."""

    rule: ClassVar[Mapping[str, Any]] = {}
    """What cannot be said of one field, as JSON Schema."""

    example: ClassVar[Mapping[str, Any]] = {}
    """What an example has beside the fields that are always there."""


class RequestSchema(Described):
    """Loads a payload to the dataclass `makes`; an unknown field is an error, not a surprise."""

    makes: ClassVar[type]

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return self.makes(**data)


@dataclass(frozen=True, slots=True)
class Nothing:
    """A request without fields."""


class NothingSchema(RequestSchema):
    """Load a `Nothing`."""

    makes = Nothing


def about(description: str, *examples: Any) -> dict[str, Any]:
    """Return the option that tells people what a field is."""
    told: dict[str, Any] = {"description": description} if description else {}
    return {"metadata": {**told, "examples": list(examples)} if examples else told}


# Scalars. \Z, not $: "$" would let a trailing newline through.
def matching(pattern: str, error: str, example: str, **options: Any) -> fields.String:
    """Return a field for text of one form."""
    check = validate.Regexp(re.compile(pattern), error=error)
    told = {"examples": [example], **options.pop("metadata", {})}
    return fields.String(validate=check, metadata=told, **options)


def user_id(**options: Any) -> fields.String:
    """Return a field for a user id."""
    return matching(r"[A-Za-z0-9._@-]{1,64}\Z", "not a user id", "alice", **options)


def room_id(**options: Any) -> fields.String:
    """Return a field for a room id."""
    return matching(
        r"(?:[0-9a-f]{24}|d-[0-9a-f]{32})\Z", "not a room id", "6b03d82fcb6048fa857eefb8", **options
    )


def message_id(**options: Any) -> fields.String:
    """Return a field for a message id."""
    return matching(r"[0-9a-f]{24}\Z", "not a message id", "6b03d82fcb6048fa857eefb9", **options)


def client_id(**options: Any) -> fields.String:
    """Return a field for the id of a request."""
    return matching(
        r"(?!sys:)[A-Za-z0-9._:-]{8,64}\Z",
        "not 8 to 64 of A-Z a-z 0-9 . _ : -",
        "01HZX3W9A1",
        **options,
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
    return matching(
        r"[0-9a-f]{8}\.(?:0|[1-9][0-9]{0,15})\Z", "not a cursor", "11e0994e.41", **options
    )


def page_cursor(**options: Any) -> fields.String:
    """Return a field for the ``next`` of a page before; see `namespaces.paging`."""
    return matching(r"[A-Za-z0-9_-]{1,4096}\Z", "not a cursor of a page", "WyI2YjAzIl0", **options)


def page_limit(most: int, **options: Any) -> fields.Integer:
    """Return a field for how many items a page may have."""
    return fields.Integer(strict=True, validate=validate.Range(1, most), **options)


def metadata(**options: Any) -> fields.Dict:
    """Return a field for an object of the application's own."""
    return fields.Dict(keys=fields.String(), validate=Fits(MAX_METADATA), **options)
