"""The fast form of a schema takes exactly what the schema takes, and loads to the same."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.errors import Invalid
from parley.namespaces.notification.events import NotificationNamespace
from parley.namespaces.plain import check_plain, is_plain
from parley.namespaces.presence.events import PresenceNamespace
from parley.namespaces.table import Event
from tests.e2e.payloads import removed, replaced, walk
from tests.namespaces.near_payloads import DEEP, ODD, WILD, near, wild
from tests.namespaces.ordinary_payloads import ORDINARY

DOORS = (ChatNamespace, NotificationNamespace, PresenceNamespace)
COMPILED = {type(e.schema): e for door in DOORS for e in door.events.values() if e.fast}
"""One event of each schema that has a fast form; `test_compiled.py` says which have to."""


def _examples(count: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


def _hold_together(event: Event, payload: Any) -> None:
    """Check that nothing wrong is taken, and nothing right is left over."""
    before = repr(payload)
    assert event.fast is not None
    loaded, decided = event.fast(payload), _decided(event, payload)
    # Their text, too: 1 equals True and 1.0, and a dict equals one of another order.
    assert (loaded, repr(loaded)) == (decided, repr(decided))
    assert repr(payload) == before


def _decided(event: Event, payload: Any) -> Any:
    """Return what the schema loads, None if the door refuses the payload."""
    schema: Any = event.schema
    try:
        check_plain(payload)
        return schema.load(payload)
    except (Invalid, ValidationError):
        return None


@pytest.mark.parametrize("event", COMPILED.values(), ids=lambda event: event.name)
@_examples(40)
@given(data=st.data())
def test_the_fast_form_and_the_schema_are_of_one_mind(event: Event, data: st.DataObject) -> None:
    """Whether a payload is valid, one step from it, or wild."""
    payloads = data.draw(near(event.schema))
    for payload in [*payloads, data.draw(wild(event.schema))]:
        _hold_together(event, payload)


@pytest.mark.parametrize("name", ORDINARY)
def test_so_they_are_of_an_ordinary_payload_with_one_thing_changed(name: str) -> None:
    """Everything odd at every place."""
    event = ChatNamespace.events[name]
    for payload in ORDINARY[name]:
        for path, _ in walk(payload):
            for odd in [*ODD, *DEEP]:
                _hold_together(event, replaced(payload, path, odd))
                _hold_together(event, replaced(payload, (*path[:-1], "surprise"), odd))
            if not isinstance(path[-1], int):
                _hold_together(event, removed(payload, path))


@_examples(300)
@given(value=WILD, depth=st.integers(0, 33))
def test_plain_is_what_the_check_has_nothing_against(value: Any, depth: int) -> None:
    try:
        check_plain(value, "", depth)
    except Invalid:
        assert not is_plain(value, depth)
    else:
        assert is_plain(value, depth)
