"""A marshmallow schema in the words of ``docs/protocol.md``.

What has no words here raises: whoever gives a schema a new kind of field or check decides how
the document calls it.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from parley.namespaces import fields as shared
from parley.namespaces.chat.content import MAX_URL
from tests.protocol_document import Field

SCALARS: Mapping[str, Callable[[], Any]] = {
    "user id": shared.user_id,
    "room id": shared.room_id,
    "message id": shared.message_id,
    "client id": shared.client_id,
    "cursor": shared.cursor,
}
"""Strings with a form of their own, by their name in the document."""


def lines_of(schema: Schema) -> list[Field]:
    """Return the lines of the table that describes ``schema``."""
    return [
        Field(name, "required" if field.required else "optional", kind_of(field) + _default(field))
        for name, field in fields_of(schema).items()
    ]


def fields_of(schema: Schema) -> Mapping[str, Any]:
    """Return a schema's fields by name, in the order in which they are declared."""
    declared: Mapping[str, Any] = vars(schema)["fields"]  # `fields.Field` is generic in vain
    return declared


def kind_of(field: Any) -> str:
    """Return a field's type and limits."""
    words = _KINDS[type(field)](field)
    return f"{words} or null" if field.allow_none else words


def has_rule(schema: Schema) -> bool:
    """Return whether the schema checks several fields together."""
    own = [getattr(m, "__marshmallow_hook__", {}) for m in vars(type(schema)).values()]
    return any("validates_schema" in hooks for hooks in own)


def pattern_of(field: Any) -> str:
    """Return the pattern of a string field, "" if it has none."""
    checks: list[Any] = field.validators
    return next((str(c.regex.pattern) for c in checks if isinstance(c, validate.Regexp)), "")


def _nested(field: Any) -> str:
    return type(field.schema).__name__.removesuffix("Schema").lower()


def _enum(field: Any) -> str:
    refused = [value for check in field.validators for value in check.iterable]
    return _one_of([member.value for member in field.enum if member not in refused])


def _list(field: Any) -> str:
    return _with_limits(f"list of {kind_of(field.inner)}s", field)


def _dict(field: Any) -> str:
    if field.value_field is None:
        return _with_limits("object", field)
    kinds = f"{kind_of(field.key_field)} → {kind_of(field.value_field)}"
    return _with_limits(f"object of {kinds}", field)


def _integer(field: Any) -> str:
    words = _with_limits("integer", field)
    return "position" if words == f"integer, 0–{shared.MAX_POSITION}" else words


def _string(field: Any) -> str:
    for name, make in SCALARS.items():
        if pattern_of(make()) == pattern_of(field):
            return name
    if any(isinstance(check, validate.OneOf) for check in field.validators):
        return _one_of([choice for check in field.validators for choice in check.choices])
    return _with_limits("string", field)


def _boolean(_: Any) -> str:
    return "boolean"


_KINDS: Mapping[type, Callable[[Any], str]] = {
    fields.Nested: _nested,
    fields.Enum: _enum,
    fields.List: _list,
    fields.Dict: _dict,
    fields.Integer: _integer,
    fields.String: _string,
    shared.Flag: _boolean,
}

_PATTERNS = {r"\s*\S": ", not blank"}
_CHECKS = {
    "_fits_metadata": "{words}, at most " + f"{shared.MAX_METADATA} bytes",
    "_is_web_address": f"http(s) URL, at most {MAX_URL} characters",
}


def _with_limits(words: str, field: Any) -> str:
    for check in field.validators:
        if isinstance(check, validate.Range):
            words += f", {check.min}–{check.max}"
        elif isinstance(check, validate.Regexp):
            words += _PATTERNS[str(check.regex.pattern)]
        elif not isinstance(check, validate.Length):
            words = _CHECKS[check.__name__].format(words=words)
        elif isinstance(field, fields.String):
            words += f", {check.min}–{check.max} code points"
        else:
            words += f", at most {check.max}"
    return words


def _default(field: Any) -> str:
    """Return what is assumed where the field is absent: by the schema, or by what it makes."""
    default = field.load_default
    makes = getattr(field.parent, "makes", None)
    if isinstance(makes, type) and dataclasses.is_dataclass(makes):
        default = next(f.default for f in dataclasses.fields(makes) if f.name == field.name)
    if isinstance(default, str):
        return f"; default `{default}`"
    return f"; default {default}" if isinstance(default, int) else ""


def _one_of(values: list[str]) -> str:
    *most, last = (f"`{value}`" for value in values)
    return f"{', '.join(most)} or {last}"
