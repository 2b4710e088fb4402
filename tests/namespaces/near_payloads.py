"""Payloads made from a schema: valid up to every limit, one step beyond one of them, and wild.

Made from the fields, so a new field is tried without a line here. What cannot be made raises:
whoever gives a schema a new kind of field or check decides what lies at its limits.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import orjson
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate

from parley.namespaces import checks
from parley.namespaces.fields import Flag
from tests.e2e.payloads import Path_, removed, replaced

Values = st.SearchStrategy[Any]

ODD_NUMBERS = [
    *(float("nan"), float("inf"), 1.0, 0.0, -0.0, 1, 0, -1, True, False),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 2.0**62, 2.0**63, -(2.0**63)),
]
ODD_TEXTS = ["a\0b", "\0", "\ud83d", "a\udc0d", "", "x", "\n", "é" * 2_048, "0" * 24]
NO_JSON: list[Any] = [b"bytes", b"", (), ("a",), {"a"}, 1j]
ODD: list[Any] = [*ODD_NUMBERS, *ODD_TEXTS, *NO_JSON, None, [], {}]


def _deep(depth: int, *, named: bool) -> Any:
    value: Any = "bottom"
    for _ in range(depth):
        value = {"a": value} if named else [value]
    return value


# 32 levels are the limit.
DEEP = [_deep(depth, named=named) for depth in range(28, 34) for named in (True, False)]


def _inside(inner: Values, names: Values) -> Values:
    return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)


_letters = st.characters(codec="utf-8", exclude_characters="\0")
_texts: Values = st.text(_letters, max_size=6)
_plain: Values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(-9, 9)
_odd: Values = st.sampled_from([*ODD, *DEEP])

JSON: Values = st.recursive(_plain | _texts, lambda inner: _inside(inner, _texts), max_leaves=6)
WILD: Values = st.recursive(
    _odd | _plain | _texts, lambda v: _inside(v, _texts | st.sampled_from(ODD_TEXTS)), max_leaves=6
)
"""Anything, much of it not even JSON."""


def either(*values: Values) -> Values:
    """Return one of them, each as often; "|" counts what each is made of."""
    return st.sampled_from(values).flatmap(lambda chosen: chosen)


@cache  # it is the making that takes time
def valid(schema: Schema) -> Values:
    """Return payloads that are right."""
    known = _fields(schema)
    needed = {name: _right(field) for name, field in known.items() if field.required}
    free = {name: _right(field) for name, field in known.items() if not field.required}
    made = st.fixed_dictionaries(needed, optional=free)
    # In any order: the schema's own has to come out.
    mixed = made.flatmap(lambda payload: st.permutations(list(payload.items())).map(dict))
    # Each field is right; are they together?
    return mixed.filter(lambda payload: not schema.validate(payload))


@st.composite
def near(draw: st.DrawFn, schema: Schema) -> list[Any]:
    """Return a valid payload, and it again with each thing in it changed or taken away."""
    payload = draw(valid(schema))
    found = [payload, replaced(payload, ("surprise",), draw(WILD))]
    for path, field in _places(schema, payload):
        found.append(replaced(payload, path, draw(_beyond(field))))
        if not isinstance(path[-1], int):
            found.append(removed(payload, path))
        if isinstance(field, fields.Nested | fields.Dict):
            name = draw(st.sampled_from(["surprise", "0" * 24, "a\0b", "\ud83d", "text"]))
            found.append(replaced(payload, (*path, name), draw(WILD)))
    return found


@cache
def wild(schema: Schema) -> Values:
    """Return anything, and anything under the names of the fields."""
    names = st.sampled_from([*_fields(schema), "surprise"])
    return either(st.dictionaries(names, WILD, max_size=5), WILD)


def _fields(schema: Any) -> dict[str, Any]:
    known: dict[str, Any] = schema.load_fields
    return known


def _places(schema: Schema, payload: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Yield every place inside a payload with its field."""
    for name, value in payload.items():
        yield from _places_in(_fields(schema)[name], value, (*path, name))


def _places_in(field: Any, value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
    yield path, field
    if isinstance(field, fields.Nested):
        yield from _places(field.schema, value, path)
    inner: Any = getattr(field, "inner", None) or getattr(field, "value_field", None)
    if inner is not None:
        steps = range(len(value)) if hasattr(field, "inner") else list(value)
        for step in steps[:3]:
            yield from _places_in(inner, value[step], (*path, step))


# Fields. The second argument: 0 for what is right, 1 for what is one beyond a limit.


_NOT_PLAIN: Mapping[type, Values] = {
    fields.String: st.sampled_from(ODD_TEXTS),
    fields.Integer: st.sampled_from(ODD_NUMBERS),
    fields.Raw: _odd,
    fields.Dict: st.dictionaries(st.sampled_from(ODD_TEXTS), _odd, max_size=2),
}
"""Of the right type, but not always plain."""


@cache
def _right(field: Any) -> Values:
    made = _KINDS[type(field)](field, 0)
    return made | st.none() if field.allow_none else made


@cache
def _beyond(field: Any) -> Values:
    not_plain = [made for kind, made in _NOT_PLAIN.items() if type(field) is kind]
    beyond = _KINDS[type(field)](field, 1)
    return either(beyond, beyond, WILD, *not_plain)


def _checks(field: Any) -> dict[type, Any]:
    validators: list[Any] = field.validators
    return {type(check): check for check in validators}


def _text(field: Any, beyond: int) -> Values:
    found = _checks(field)
    made = st.one_of([_TEXTS[kind](check, beyond) for kind, check in found.items()] or [_texts])
    # Of several checks, one makes the text, and the others pick.
    return made if beyond else made.filter(lambda text: _passes(field, text))


def _passes(field: Any, value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


def _of_length(check: validate.Length, beyond: int) -> Values:
    least, most = check.min or 0, check.max or 10
    lengths = [max(least - 1, 0), most + 1] if beyond else [least, least + 1, most - 1, most]
    return st.tuples(_letters, st.sampled_from(lengths)).map(lambda drawn: drawn[0] * drawn[1])


def _of_pattern(check: validate.Regexp, beyond: int) -> Values:
    made = st.from_regex("\\A(?:" + str(check.regex.pattern) + ")")
    changed = made.flatmap(
        lambda text: st.sampled_from([f"{text}\n", f"{text} ", text[:-1], text.upper(), text * 70])
    )
    return changed if beyond else made


def _address(check: checks.WebAddress, beyond: int) -> Values:
    start = "https://example.org/"
    wrong = ["//example.org/a", "javascript:alert(1)", "http://[::1", "http:///a", "", "a"]
    sized = start + "x" * (check.most - len(start) + beyond)
    right = [start, "HTTP://a", "http://a\u00e9.example?q#f"]
    return st.sampled_from([sized, *(wrong if beyond else right)])


_TEXTS: Mapping[type, Callable[[Any, int], Values]] = {
    validate.Length: _of_length,
    validate.Regexp: _of_pattern,
    checks.WebAddress: _address,
    validate.OneOf: lambda check, beyond: st.sampled_from(check.choices).map(
        lambda text: f"{text} " if beyond else text
    ),
}


def _integer(field: Any, beyond: int) -> Values:
    (check,) = field.validators  # a range, or one with zero
    least, most = check.min - beyond, check.max + beyond
    like = [str(least), float(check.min), True] if beyond else [check.min + 1]
    return st.sampled_from([least, most, *like, *([0] if isinstance(check, checks.ZeroOr) else [])])


def _flag(_field: Any, beyond: int) -> Values:
    return st.sampled_from([0, 1, "true", 1.0]) if beyond else st.booleans()


def _list(field: Any, beyond: int) -> Values:
    found = _checks(field)
    length = found[validate.Length]
    several = st.lists(_right(field.inner), min_size=length.min or 0, max_size=3)
    if checks.Distinct in found:
        return several.map(lambda v: v * (beyond + 1) if v else v) if beyond else several.map(_once)
    full = _right(field.inner).map(lambda v: [v] * (length.max + beyond))
    return full if beyond else several | full


def _once(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _dict(field: Any, beyond: int) -> Values:
    found = _checks(field)
    if checks.Fits in found:
        return _sized(found[checks.Fits], beyond).map(lambda text: {"a": text[6:]}) | (
            st.dictionaries(_texts, JSON, max_size=3)
        )
    names, values = _right(field.key_field), _right(field.value_field)
    most = found[validate.Length].max + beyond
    full = values.map(lambda v: {f"{n:024x}": v for n in range(most)})
    return full if beyond else st.dictionaries(names, values, max_size=4) | full


def _sized(check: checks.Fits, beyond: int) -> Values:
    """Return texts that are just small enough, and just not."""
    letter = st.sampled_from(["x", "é", '"', "\n", "\U0001f600"])
    return letter.map(lambda x: x * ((check.most - 2 + beyond) // (len(orjson.dumps(x)) - 2)))


_KINDS: Mapping[type, Callable[[Any, int], Values]] = {
    fields.String: _text,
    fields.Integer: _integer,
    Flag: _flag,
    fields.List: _list,
    fields.Dict: _dict,
    fields.Nested: lambda field, _: valid(field.schema),
    fields.Raw: lambda field, beyond: JSON | _sized(_checks(field)[checks.Fits], beyond),
}
