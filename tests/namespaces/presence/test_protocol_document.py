"""What ``docs/protocol.md`` says of presence is what the code's tables say."""

from collections.abc import Mapping

import pytest
from marshmallow import Schema

from parley.namespaces import errors, plain
from parley.namespaces.presence import followers, lists, notices, room_list, schemas, views
from parley.namespaces.presence.events import PresenceNamespace
from parley.namespaces.presence.wire import Notice
from parley.namespaces.shapes import Either
from parley.server.settings import Settings
from tests.namespaces.schema_words import has_rule, inside, lines_of, name_of
from tests.protocol_document import bare, read

DOCUMENT = read()
REQUESTS = DOCUMENT["Presence: events a client sends"]
NOTICES = DOCUMENT["Presence: events the server sends"]
PARTS = DOCUMENT["Presence"]


def test_every_event_of_the_tables_is_documented_and_no_other() -> None:
    assert set(REQUESTS) - {""} == set(PresenceNamespace.events)
    assert set(NOTICES) - {""} == set(PresenceNamespace.notices) == set(Notice)


@pytest.mark.parametrize("name", PresenceNamespace.events)
def test_an_event_of_a_client_is_documented_as_its_schemas_have_it(name: str) -> None:
    event, section = PresenceNamespace.events[name], REQUESTS[name]
    assert section.fields() == lines_of(event.schema)
    assert bool(section.rules) is has_rule(event.schema)
    assert section.fields("ack") == lines_of(event.answers)
    known = {error.code for error in errors.ClientError.__subclasses__()}
    assert {bare(row[0]) for row in section.table("error")} <= known
    [example] = section.examples
    plain.check_plain(example)
    event.schema.load(example)


@pytest.mark.parametrize("name", PresenceNamespace.notices)
def test_an_event_of_the_server_is_documented_as_its_shape_has_it(name: str) -> None:
    said, section = PresenceNamespace.notices[name], NOTICES[name]
    if not issubclass(said.shape, Either):
        assert section.fields() == lines_of(said.shape)
    assert ("At most once" in "\n".join(section.lines)) is said.at_most_once


def test_every_system_code_is_documented_and_no_other() -> None:
    codes = [bare(row[0]) for row in NOTICES["system"].table("code")]
    assert codes == list(notices.PresenceSystemShape.shapes)


def test_every_object_inside_is_documented_as_its_shape_has_it() -> None:
    found = dict(_nested())
    for name in ("Presence", "Device"):
        assert PARTS[name].fields() == lines_of(found.pop(name.lower()))
    assert not found


def test_limits_are_those_of_the_code() -> None:
    rows = PARTS["Presence limits"].table("what")
    assert [int(row[1].split()[0]) for row in rows] == [
        schemas.MAX_USERS,
        followers.MAX_FOLLOWED,
        lists.MAX_LISTS,
        views.MAX_DEVICES,
        room_list.MAX_LISTED,
        schemas.MAX_LABEL,
        lists.BATCH_S * 1_000,
    ]
    told = "\n".join(PARTS[""].lines)
    assert f"for {Settings().presence_grace_ms // 1_000} seconds more" in told


def _nested() -> Mapping[str, Schema]:
    """Return the objects inside of acks and events, but for those that every namespace has."""
    said = [
        *(event.answers for event in PresenceNamespace.events.values()),
        *(said.shape for said in PresenceNamespace.notices.values()),
    ]
    shown = {name_of(shape): shape for schema in said for shape in inside(schema())}
    return {name: shape for name, shape in shown.items() if name != "error"}
