"""A marshmallow schema in the words of ``docs/protocol.md``.

What has no words here raises: whoever gives a schema a new kind of field or check decides how
the document calls it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from parley.namespaces import checks, shapes
from parley.namespaces import fields as shared
from parley.namespaces.chat import room_schemas
from parley.namespaces.presence import schemas as presence_schemas
from parley.namespaces.shapes import Either
from parley.server.http.json_schema import default_of, fields_of, key_of
from tests.protocol_document import Field

SCALARS: Mapping[str, Callable[[], Any]] = {
    "user id": shared.user_id,
    "room id": shared.room_id,
    "message id": shared.message_id,
    "client id": shared.client_id,
    "cursor": shared.cursor,
    "page cursor": shared.page_cursor,
    "signal name": room_schemas.signal_name,
    "time": shapes.time,
}
"""Strings with a form of their own, by their name in the document."""

NAMED = {"SettingsSchema": "some settings", "RoomChangesSchema": "room changes"}
"""Objects that go in under another name than what goes out."""


def lines_of(schema: Schema | type[Schema]) -> list[Field]:
    """Return the lines of the table that describes ``schema``."""
    schema = schema() if isinstance(schema, type) else schema
    if isinstance(schema, Either):
        return _merged(schema)
    present = "always" if type(schema).__name__.endswith("Shape") else "required"
    return [
        Field(
            key_of(field),
            present if field.required else "optional",
            kind_of(field) + _default(field),
            field.metadata.get("description", ""),
        )
        for field in fields_of(schema).values()
    ]


def _merged(either: Either) -> list[Field]:
    """Return the lines of all shapes at once; what only some have is optional."""
    tables = [lines_of(shape) for shape in dict.fromkeys(either.shapes.values())]
    found: dict[str, list[Field]] = {}
    for line in (line for table in tables for line in table):
        found.setdefault(line.name, []).append(line)
    return [
        lines[0]._replace(
            presence="always"
            if len(lines) == len(tables) and all(line.presence == "always" for line in lines)
            else "optional",
            type=_together(list(dict.fromkeys(line.type for line in lines))),
            meaning=" ".join(dict.fromkeys(line.meaning for line in lines if line.meaning)),
        )
        for lines in found.values()
    ]


def _together(kinds: list[str]) -> str:
    if len(kinds) == 1:
        return kinds[0]
    if all(kind.startswith("`") for kind in kinds):
        return _one_of([word for kind in kinds for word in re.findall("`(.*?)`", kind)])
    return "object"


def kind_of(field: Any) -> str:
    """Return a field's type and limits."""
    words = _KINDS[type(field)](field)
    return f"{words} or null" if field.allow_none and type(field) is not fields.Raw else words


def name_of(schema: Schema) -> str:
    """Return what the document calls an object: its class's name in words."""
    name = type(schema).__name__
    words = re.sub("(?<!^)(?=[A-Z])", " ", re.sub("(Schema|Shape)$", "", name)).lower()
    return NAMED.get(name, words)


def plural(words: str) -> str:
    """Return what the document calls several of them."""
    if words.startswith("`"):
        return words
    return f"{words[:-1]}ies" if words.endswith("ry") else f"{words}s"


def inside(schema: Schema) -> Iterator[Schema]:
    """Yield the objects inside of an object, and those inside of them."""
    for shape in schema.shapes.values() if isinstance(schema, Either) else ():
        yield from inside(shape())
    for field in fields_of(schema).values():
        if (found := innermost(field)) is not None:
            yield found
            yield from inside(found)


def innermost(field: Any) -> Schema | None:
    """Return the object that a field, or each item of it, is; None if it is none."""
    within = getattr(field, "inner", None) or getattr(field, "value_field", None)
    if within is not None:
        return innermost(within)
    return field.schema if isinstance(field, fields.Nested) else None


def has_rule(schema: Schema) -> bool:
    """Return whether the schema checks several fields together."""
    own = [getattr(m, "__marshmallow_hook__", {}) for m in vars(type(schema)).values()]
    return any("validates_schema" in hooks for hooks in own)


def pattern_of(field: Any) -> str:
    """Return the pattern of a string field, "" if it has none."""
    validators: list[Any] = field.validators
    return next((str(c.regex.pattern) for c in validators if isinstance(c, validate.Regexp)), "")


def _nested(field: Any) -> str:
    return name_of(field.schema)


def _enum(field: Any) -> str:
    refused = [value for check in field.validators for value in check.iterable]
    return _one_of([member.value for member in field.enum if member not in refused])


def _list(field: Any) -> str:
    return _with_limits(f"list of {plural(kind_of(field.inner))}", field)


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
    checks_of: list[Any] = field.validators
    if choices := [choice for check in checks_of for choice in getattr(check, "choices", ())]:
        return _one_of(choices)
    return _with_limits("string", field)


_KINDS: Mapping[type, Callable[[Any], str]] = {
    fields.Nested: _nested,
    fields.Enum: _enum,
    fields.List: _list,
    fields.Dict: _dict,
    fields.Integer: _integer,
    fields.String: _string,
    fields.Raw: lambda field: _with_limits("JSON", field),
    shared.Flag: lambda _: "boolean",
}

_PATTERNS = {
    room_schemas.NAME: ", not blank, without control characters",
    presence_schemas.LABEL: ", without control characters",
}


def _with_limits(words: str, field: Any) -> str:
    for check in field.validators:
        words = _LIMITS[type(check)](words, field, check)
    return words


def _range(words: str, _: Any, check: Any) -> str:
    return words if check.max is None else f"{words}, {check.min}–{check.max}"


def _length(words: str, field: Any, check: Any) -> str:
    span = f"{check.min}–{check.max}" if check.min else f"at most {check.max}"
    points = " code points" if isinstance(field, fields.String) else ""
    return f"{words}, {span}{points}"


def _regexp(words: str, _: Any, check: Any) -> str:
    return words + _PATTERNS[str(check.regex.pattern)]


def _equal(_words: str, _: Any, check: Any) -> str:
    return f"`{check.comparable}`"


def _fits(words: str, _: Any, check: Any) -> str:
    return f"{words}, at most {check.most} bytes"


def _web_address(_words: str, _: Any, check: Any) -> str:
    return f"http(s) URL, at most {check.most} characters"


def _zero_or(words: str, _: Any, check: Any) -> str:
    return f"{words}, 0 or {check.min}–{check.max}"


def _distinct(words: str, _: Any, _check: Any) -> str:
    return f"{words}, each once"


_LIMITS: Mapping[type, Callable[[str, Any, Any], str]] = {
    validate.Range: _range,
    validate.Length: _length,
    validate.Regexp: _regexp,
    validate.Equal: _equal,
    checks.Fits: _fits,
    checks.WebAddress: _web_address,
    checks.ZeroOr: _zero_or,
    checks.Distinct: _distinct,
}


def _default(field: Any) -> str:
    default = default_of(field)
    if default is None or default == "":
        return ""
    return f"; default `{default}`" if isinstance(default, str) else f"; default {default}"


def _one_of(values: list[str]) -> str:
    *most, last = (f"`{value}`" for value in values)
    return f"{', '.join(most)} or {last}" if most else last
