"""The fast form of a schema: takes what is valid beyond doubt, and leaves all else to the schema.

The marshmallow schema stays the one source of truth. At start it is read, field by field, into
closures that load to what it loads to. They never refuse: of anything wrong they say "don't know",
and the schema decides and words the error. A schema with a field, a check or a hook that is not
known here has no fast form. Nothing is guessed.

What `parley.namespaces.plain` asks of a payload is asked on the way.

Dense, for every event comes through here: a `chat` of 300 bytes takes 3.9 µs in place of 37, of
which the frozen dataclass is 1, the two patterns are 0.5 and the rule over several fields is 0.3; a
`typing` 2.3 in place of 16.
"""

from collections.abc import Callable, Mapping
from inspect import isfunction
from typing import Any, Final

from marshmallow import RAISE, Schema, fields, missing

from parley.namespaces.compiled_checks import Test, Unknown, know, test_of
from parley.namespaces.fields import Flag, RequestSchema
from parley.namespaces.plain import MAX_DEPTH, encodes, is_plain

Fast = Callable[[Any], Any]
"""Loads a payload; None means "don't know"."""

_Load = Callable[[Any], Any]  # returns what a value loads to, or raises


class _Doubt(Exception):
    """The schema has to decide."""


def compiled(schema: Schema) -> Fast | None:
    """Return the fast form of a schema, None if it has none."""
    try:
        load = _object(schema, 0)
    except Unknown:
        return None

    def fast(payload: Any) -> Any:
        try:
            return load(payload)
        except Exception:  # `_Doubt`, and whatever else a check may raise
            return None

    return fast


# Objects


def _object(schema: Schema, depth: int) -> _Load:
    know(_is_ordinary(schema) and depth < MAX_DEPTH)
    rows = [_row(name, field, depth + 1) for name, field in schema.load_fields.items()]
    rules, make = _rules(schema), _make(schema)

    def load(value: Any) -> Any:
        if type(value) is not dict:
            raise _Doubt
        data: dict[str, Any] = {}
        left = len(value)
        # In the schema's order, not the payload's: content is stored in the order it has here.
        for name, inner, absent in rows:
            if name in value:
                data[name] = inner(value[name])
                left -= 1
            elif absent is _REQUIRED:
                raise _Doubt
            elif absent is not missing:
                data[name] = absent
        if left:  # a field too many
            raise _Doubt
        for rule in rules:
            rule(data, partial=None, many=False, unknown=RAISE)
        return data if make is None else make(**data)

    return load


_REQUIRED: Final = object()


def _row(name: str, field: Any, depth: int) -> tuple[str, _Load, Any]:
    know(field.attribute is None and field.data_key is None and "." not in name)
    know(not callable(field.load_default))
    return name, _value(field, depth), _REQUIRED if field.required else field.load_default


def _is_ordinary(schema: Schema) -> bool:
    """Return whether it loads as `Schema` does: one object, as it came, all of it known."""
    own, kind = vars(Schema).items(), type(schema)
    return (
        all(getattr(kind, name) is method for name, method in own if isfunction(method))
        and schema.dict_class is dict
        and (schema.many, schema.partial, schema.unknown) == (False, None, RAISE)
        and not _hooks(schema, "pre_load")
        and not _hooks(schema, "validates")
    )


def _hooks(schema: Schema, tag: str) -> list[tuple[str, bool, Mapping[str, Any]]]:
    # Private, but marshmallow has no other list of all of them; a test has one of each kind.
    return list(schema._hooks[tag])  # noqa: SLF001


def _rules(schema: Schema) -> list[Callable[..., Any]]:
    """Return the checks of several fields together; they run as they are."""
    hooks = _hooks(schema, "validates_schema")
    know(all(not of_many and not told["pass_original"] for _, of_many, told in hooks))
    return [getattr(schema, name) for name, _, _ in hooks]


def _make(schema: Schema) -> Callable[..., Any] | None:
    """Return what the loaded object is made with, None if it stays a dict."""
    hooks = [name for name, _, _ in _hooks(schema, "post_load")]
    if not hooks:
        return None
    # What the hook of `RequestSchema` does is known, and done without it.
    of = next(kind for kind in type(schema).__mro__ if hooks[0] in vars(kind))
    if len(hooks) > 1 or of is not RequestSchema or not isinstance(schema, RequestSchema):
        raise Unknown
    return schema.makes


# Values


def _value(field: Any, depth: int) -> _Load:
    """Return the fast form of a field.

    Args:
        field: Bound to its schema.
        depth: In how many objects and lists the value is.
    """
    know(type(field) in _FORMS and not field.pre_load and not field.post_load)
    load = _FORMS[type(field)](field, depth, test_of(field.validators))
    return (lambda value: None if value is None else load(value)) if field.allow_none else load


def _text(_field: Any, _depth: int, passes: Test | None) -> _Load:
    passes = passes or (lambda _: True)

    def load(value: Any) -> str:
        # `is_plain` is written out, and no test wrapped around: most of what comes is text.
        if (
            type(value) is str
            and "\0" not in value
            and (value.isascii() or encodes(value))
            and passes(value)
        ):
            return value
        raise _Doubt

    return load


def _integer(_field: Any, depth: int, passes: Test | None) -> _Load:
    def load(value: Any) -> int:
        if type(value) is int and is_plain(value, depth):
            return value
        raise _Doubt

    return _tested(load, passes)


def _flag(_field: Any, _depth: int, passes: Test | None) -> _Load:
    def load(value: Any) -> bool:
        if value is True or value is False:
            return value
        raise _Doubt

    return _tested(load, passes)


def _anything(_field: Any, depth: int, passes: Test | None) -> _Load:
    def load(value: Any) -> Any:
        if value is not None and is_plain(value, depth):
            return value
        raise _Doubt

    return _tested(load, passes)


def _nested(field: Any, depth: int, passes: Test | None) -> _Load:
    know(field.unknown is None and not field.many)
    return _tested(_object(field.schema, depth), passes)


def _list(field: Any, depth: int, passes: Test | None) -> _Load:
    know(depth < MAX_DEPTH)
    item = _value(field.inner, depth + 1)

    def load(value: Any) -> list[Any]:
        if type(value) is list:
            return [item(inner) for inner in value]
        raise _Doubt

    return _tested(load, passes)


def _dict(field: Any, depth: int, passes: Test | None) -> _Load:
    know(depth < MAX_DEPTH)
    name = _value(field.key_field or fields.String(), depth)
    item = _value(field.value_field or fields.Raw(allow_none=True), depth + 1)

    def load(value: Any) -> dict[Any, Any]:
        if type(value) is dict:
            return {name(key): item(inner) for key, inner in value.items()}
        raise _Doubt

    return _tested(load, passes)


def _tested(load: _Load, passes: Test | None) -> _Load:
    if passes is None:
        return load

    def tested(value: Any) -> Any:
        loaded = load(value)
        if passes(loaded):
            return loaded
        raise _Doubt

    return tested


# By exact type: a subclass may do anything.
_FORMS: Mapping[type, Callable[[Any, int, Test | None], _Load]] = {
    fields.String: _text,
    fields.Integer: _integer,
    Flag: _flag,
    fields.Raw: _anything,
    fields.Nested: _nested,
    fields.List: _list,
    fields.Dict: _dict,
}
