"""Anything at all may be sent, and only what is right gets by (promise 17)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.door import EVENTS, Door
from tests.e2e.payloads import (
    NOT_PLAIN,
    Path_,
    Raw,
    is_at,
    pointer,
    pointers_of,
    replaced,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


_names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@st.composite
def _hidden(draw: st.DrawFn) -> tuple[Path_, Any]:
    """Return something that is not plain, wrapped in things that are, and the path to it."""
    value: Any = Raw(draw(st.sampled_from([t for t in NOT_PLAIN.values() if t[0] not in "[{"])))
    path: Path_ = ()
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            name = draw(_names)
            value, path = {"a": 1, name: value}, (name, *path)
        else:
            value, path = [None, value], (1, *path)
    return path, value


def _examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_examples(150)
@given(data=st.data(), hidden=_hidden())
async def test_nothing_that_is_not_plain_gets_by(
    door: Door, data: st.DataObject, hidden: tuple[Path_, Any]
) -> None:
    """However deep it is hidden, at whichever field: the pointer leads to the very place."""
    place = data.draw(st.sampled_from(door.every_place()))
    inner, value = hidden
    payload = replaced(door.valid(place.event), place.path, value)
    error = await door.refusal(place.event, payload)
    assert (error["code"], pointers_of(error)) == ("invalid", [pointer((*place.path, *inner))])


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _names
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@_examples(250)
@given(data=st.data(), value=_json)
async def test_nothing_of_another_type_gets_by(door: Door, data: st.DataObject, value: Any) -> None:
    """A value of any other JSON type than the right one is refused where it is."""
    typed = [place for place in door.every_place() if not place.free and place.path[0] != "rooms"]
    place = data.draw(st.sampled_from(typed))
    if type(value) is type(place.value):
        value = [value]  # a list for a scalar, a list for an object, a list in a list
    if isinstance(place.value, list) and value == []:
        value = None
    error = await door.refusal(place.event, replaced(door.valid(place.event), place.path, value))
    assert error["code"] == "invalid"
    assert is_at(error, place.path), (place, error)


@_examples(250)
@given(name=st.sampled_from(EVENTS) | _names, arguments=st.lists(_json, max_size=3))
async def test_every_event_has_an_answer(door: Door, name: str, arguments: list[Any]) -> None:
    """Whatever its name and its arguments are."""
    ack = await door.alice.ack_text(json.dumps([name, *arguments]))
    if not ack["ok"]:
        assert ack["error"]["code"] in ("invalid", "unknown_event")
    assert door.logged == []
