"""What has a fast form, what has none, and that ordinary payloads are taken by it."""

from typing import Any, ClassVar

import pytest
from marshmallow import (
    EXCLUDE,
    Schema,
    fields,
    post_load,
    pre_load,
    validate,
    validates,
    validates_schema,
)

from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.compiled import compiled
from parley.namespaces.fields import RequestSchema, flag
from tests.namespaces.ordinary_payloads import ORDINARY, SAID
from tests.protocol_document import read

REQUESTS = read()["Events a client sends"]


@pytest.mark.parametrize("name", ORDINARY)
def test_a_hot_event_has_a_fast_form_that_takes_ordinary_payloads(name: str) -> None:
    event = ChatNamespace.events[name]
    payloads: list[Any] = [*ORDINARY[name], *REQUESTS[name].examples]
    for payload in payloads:
        assert event.fast is not None
        assert event.fast(payload) is not None, payload


def test_what_is_loaded_shares_no_object_with_the_payload_that_the_schema_would_not_share() -> None:
    payload: Any = {**SAID, "content": {"text": "hello", "mentions": ["bob"], "metadata": {"a": 1}}}
    event = ChatNamespace.events["chat"]
    assert event.fast is not None
    loaded = event.fast(payload).content
    payload["content"]["mentions"].append("carol")
    payload["content"]["metadata"]["b"] = 2
    assert (loaded["mentions"], loaded["metadata"]) == (["bob"], {"a": 1})


def _with(**members: Any) -> type[Schema]:
    return type("Some", (Schema,), members)


class _Shouting(fields.String):
    pass


class _Measured(validate.Length):
    pass


@pre_load
def _before(_schema: Any, data: Any, **_: Any) -> Any:
    return data


@post_load
def _after(_schema: Any, data: Any, **_: Any) -> Any:
    return data


@validates("a")
def _of_a(_schema: Any, _value: str, **_: Any) -> None:
    pass


@validates_schema(pass_original=True)
def _with_original(_schema: Any, _data: Any, _original: Any, **_: Any) -> None:
    pass


@validates_schema(pass_collection=True)
def _of_many(_schema: Any, _data: Any, **_: Any) -> None:
    pass


class _Making(RequestSchema):
    makes: ClassVar = dict

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return data


class _MakingMore(RequestSchema):
    makes: ClassVar = dict
    after = _after


class _Endless(Schema):
    a = fields.Nested("_Endless")


class _Loose(Schema):
    class Meta:
        unknown = EXCLUDE


class _Own(Schema):
    def handle_error(self, error: Any, data: Any, **_: Any) -> None:
        raise NotImplementedError


UNKNOWN = {
    "a field": _with(a=fields.Float()),
    "a subclass of a field": _with(a=_Shouting()),
    "a boolean that takes more than true and false": _with(a=fields.Boolean()),
    "a check": _with(a=fields.String(validate=validate.Equal("a"))),
    "a function as a check": _with(a=fields.String(validate=lambda _: True)),
    "a subclass of a check": _with(a=fields.String(validate=_Measured(max=1))),
    "an exact length": _with(a=fields.String(validate=validate.Length(equal=1))),
    "an open range": _with(a=fields.Integer(validate=validate.Range(1, 2, max_inclusive=False))),
    "another name on the wire": _with(a=fields.String(data_key="b")),
    "another name inside": _with(a=fields.String(attribute="b")),
    "a path": _with(**{"a.b": fields.String()}),
    "a default that is made": _with(a=fields.Dict(load_default=dict)),
    "a change before": _with(a=fields.String(pre_load=str)),
    "a change after": _with(a=fields.String(post_load=str)),
    "something unknown inside": _with(a=fields.Nested(_with(b=fields.Float()))),
    "something unknown in a list": _with(a=fields.List(fields.Float())),
    "something unknown as a key": _with(a=fields.Dict(keys=fields.Float())),
    "something unknown as a value": _with(a=fields.Dict(values=fields.Float())),
    "several objects inside": _with(a=fields.Nested(_with(b=flag()), many=True)),
    "lenient inside": _with(a=fields.Nested(_with(b=flag()), unknown=EXCLUDE)),
    "itself inside": _Endless,
    "lenient": _Loose,
    "a hook before": _with(before=_before),
    "a hook after": _with(after=_after),
    "a hook for a field": _with(a=fields.String(), of_a=_of_a),
    "a rule with the original": _with(rule=_with_original),
    "a rule for many": _with(rule=_of_many),
    "another way of making": _Making,
    "a way of making, and more": _MakingMore,
    "a method of its own": _Own,
}


@pytest.mark.parametrize("kind", UNKNOWN.values(), ids=UNKNOWN)
def test_a_schema_with_something_unknown_has_no_fast_form(kind: type[Schema]) -> None:
    assert compiled(kind()) is None


@pytest.mark.parametrize("options", [{"many": True}, {"partial": True}, {"partial": ("a",)}])
def test_a_schema_for_other_than_one_whole_object_has_none(options: Any) -> None:
    kind = _with(a=fields.String(required=True))
    assert compiled(kind()) is not None
    assert compiled(kind(**options)) is None


_WRONG: list[Any] = [None, [], "a", b"", 1, ({},), {}, {"b": ""}, {"a": b"a"}, {"a": 1}]


@pytest.mark.parametrize("payload", [*_WRONG, {"a": "", "b": ""}, {"a": "", 1: 2}])
def test_what_is_wrong_is_left_to_the_schema(payload: Any) -> None:
    fast = compiled(_with(a=fields.String(required=True))())
    assert fast is not None
    assert fast(payload) is None
