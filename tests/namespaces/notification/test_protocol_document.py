"""``docs/protocol.md`` says of ``/notification`` what the code's tables say."""

import pytest

from parley.namespaces import fields, plain
from parley.namespaces.notification import content, inbox, schemas, shapes, sync, wire
from parley.namespaces.notification.events import NotificationNamespace
from parley.namespaces.shapes import Either
from parley.storage.models import UNREAD_CAP
from tests.namespaces.schema_words import has_rule, lines_of
from tests.protocol_document import bare, read

DOCUMENT = read()
REQUESTS = DOCUMENT["Events a client sends to /notification"]
NOTICES = DOCUMENT["Events the server sends in /notification"]
EVENTS = NotificationNamespace.events


def test_every_event_of_both_directions_is_documented_and_no_other() -> None:
    assert set(REQUESTS) - {""} == set(EVENTS)
    assert set(NOTICES) - {""} == set(NotificationNamespace.notices) == set(wire.Notice)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_documented_as_its_schema_and_shape_have_it(name: str) -> None:
    schema, section = EVENTS[name].schema, REQUESTS[name]
    assert section.fields() == lines_of(schema)
    assert bool(section.rules) is has_rule(schema)
    assert section.fields("ack") == lines_of(EVENTS[name].answers)
    [example] = section.examples
    plain.check_plain(example)
    schema.load(example)


@pytest.mark.parametrize("name", wire.Notice)
def test_a_notice_is_documented_as_its_shape_has_it(name: str) -> None:
    said, section = NotificationNamespace.notices[name], NOTICES[name]
    if not issubclass(said.shape, Either):
        assert section.fields() == lines_of(said.shape)
    assert ("At most once" in "\n".join(section.lines)) is said.at_most_once


def test_the_shapes_are_documented_as_the_code_has_them() -> None:
    part = DOCUMENT["Notifications"]
    assert part["Notification"].fields() == lines_of(shapes.NotificationShape)
    assert part["Notification content"].fields() == lines_of(shapes.NotificationContentShape)


def test_the_codes_of_system_are_those_of_the_code() -> None:
    text = "\n".join(NOTICES["system"].lines)
    for code in shapes.InboxSystemShape.shapes:
        assert f"`{bare(code)}`" in text


def test_limits_are_those_of_the_code() -> None:
    rows = DOCUMENT["Notifications"]["Catching up"].table("what")
    assert [int(row[1].split()[0]) for row in rows] == [
        content.MAX_TITLE,
        content.MAX_BODY,
        fields.MAX_METADATA,
        schemas.MAX_IDS,
        schemas.MAX_USERS,
        sync.UNREAD_AT_FIRST,
        sync.PAGE_ROWS,
        sync.REPLY_BYTES,
        inbox.LIST_BYTES,
        sync.RESET_BEHIND,
        UNREAD_CAP,
    ]
