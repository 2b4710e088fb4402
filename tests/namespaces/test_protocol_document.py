"""``docs/protocol.md`` says what the code's tables say."""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema

from parley.namespaces import base, errors, mailbox, plain
from parley.namespaces import fields as shared
from parley.namespaces.chat import (
    content,
    directory,
    ephemera,
    membership,
    message_shapes,
    moderation,
    notices,
    reading,
    resume,
    room_schemas,
    room_shapes,
    room_sync,
    rooms,
    schemas,
    settings,
    shapes,
    sync,
    watching,
    wire,
)
from parley.namespaces.chat.events import ChatNamespace
from parley.namespaces.notification import wire as inbox_wire
from parley.namespaces.shapes import Either
from parley.namespaces.transport import Close
from parley.namespaces.wire import SystemCode
from parley.server.engine.gate import MAX_ATTACHMENTS
from parley.server.http.json_schema import fields_of
from parley.server.settings import Settings
from parley.storage import fold
from parley.storage.models import (
    UNREAD_CAP,
    MemberState,
    MessageType,
    RoomType,
)
from tests.namespaces.chat.world import Rule
from tests.namespaces.schema_words import (
    SCALARS,
    has_rule,
    inside,
    kind_of,
    lines_of,
    name_of,
    pattern_of,
)
from tests.protocol_document import Field, bare, read

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = read()
REQUESTS = DOCUMENT["Events a client sends"]
NOTICES = DOCUMENT["Events the server sends"]
SHAPES = DOCUMENT["Shapes"]
OF_PRESENCE = {"Notice.ROOM", "notice"}  # what its own tests look at
PASSED_ON = {"event", "told.event"}  # of `channels`, which is told or tells one of the others
ERRORS = {error.code: error for error in errors.ClientError.__subclasses__()}


# What clients send


def test_every_event_of_the_table_is_documented_and_no_other() -> None:
    assert set(REQUESTS) - {""} == set(ChatNamespace.events)


@pytest.mark.parametrize("name", ChatNamespace.events)
def test_a_payload_is_documented_as_its_schema_has_it(name: str) -> None:
    schema, section = ChatNamespace.events[name].schema, REQUESTS[name]
    assert section.fields() == lines_of(schema)
    assert bool(section.rules) is has_rule(schema)


@pytest.mark.parametrize("name", ChatNamespace.events)
def test_an_ack_is_documented_as_its_shape_has_it(name: str) -> None:
    assert REQUESTS[name].fields("ack") == lines_of(ChatNamespace.events[name].answers)


@pytest.mark.parametrize("name", ChatNamespace.events)
def test_an_example_is_a_valid_payload(name: str) -> None:
    [example] = REQUESTS[name].examples
    plain.check_plain(example)
    ChatNamespace.events[name].schema.load(example)


@pytest.mark.parametrize("name", ChatNamespace.events)
def test_the_errors_of_an_event_are_errors(name: str) -> None:
    assert {bare(row[0]) for row in REQUESTS[name].table("error")} <= set(ERRORS)


def test_what_a_room_is_changed_to_is_documented_as_its_schema_has_it() -> None:
    lines = REQUESTS["update_room"].fields("field of `changes`")
    assert lines == lines_of(room_schemas.RoomChangesSchema())
    changed = NOTICES["room_update"].fields("field of `content`")[0]
    assert changed.type == name_of(room_schemas.RoomChangesSchema())


def test_content_is_documented_as_its_schema_has_it() -> None:
    section, schema = SHAPES["Content"], content.ContentSchema()
    assert section.fields() == lines_of(schema)
    assert bool(section.rules) is has_rule(schema)


def test_since_is_documented_as_its_schema_has_it() -> None:
    cursors = fields_of(schemas.SyncSchema())["rooms"]
    token, since = DOCUMENT["Connecting"][""].fields("field of `auth`")
    assert (token.name, since.name, since.type) == ("token", "since", kind_of(cursors))


def test_ids_are_documented_as_their_patterns() -> None:
    forms = {row[0]: row[1] for row in SHAPES[""].table("type")}
    assert set(forms) == {*SCALARS, "position"}
    for name, make in SCALARS.items():
        assert f"{bare(forms[name])}\\Z" == pattern_of(make())
    assert str(shared.MAX_POSITION) in forms["position"]


def test_limits_are_those_of_the_code() -> None:
    [limit] = fields_of(schemas.HistorySchema())["limit"].validators
    rows = DOCUMENT["Limits"][""].table("what")
    assert [int(row[1].split()[0]) for row in rows] == [
        base.MAX_EVENT_BYTES,
        plain.MAX_DEPTH,
        MAX_ATTACHMENTS,
        Settings().max_payload,
        mailbox.LIMIT,
        content.MAX_TEXT,
        content.MAX_URL,
        content.MAX_MENTIONS,
        shared.MAX_METADATA,
        fold.MAX_EMOJI,
        wire.LISTED_USERS,
        rooms.MAX_ROOMS,
        settings.DEFAULTS["max_members"],
        settings.MAX_MEMBERS,
        membership.MAX_WAITING,
        moderation.MAX_BANNED,
        wire.LISTED_MEMBERS,
        watching.MAX_WATCHED,
        directory.LIST_BYTES,
        directory.WAITING_BYTES,
        room_schemas.MAX_SIGNAL,
        schemas.MAX_SYNC_ROOMS,
        limit.max,
        reading.HISTORY_BYTES,
        sync.PAGE_ROWS,
        room_sync.REPLY_BYTES,
        sync.RESET_BEHIND,
        sync.RESET_MESSAGES,
        UNREAD_CAP,
        ephemera.TYPING_MS,
    ]
    assert f"Up to {resume.ROOMS_A_REPLY} rooms" in "\n".join(NOTICES["sync"].lines)


# What the server answers


def test_every_error_is_documented_and_no_other() -> None:
    table = DOCUMENT["Errors"][""].table("code")
    assert {bare(row[0]) for row in table} == set(ERRORS)
    raised = {node.id for node in _nodes() if isinstance(node, ast.Name)}
    for code, status, retryable, meaning in table:
        error = ERRORS[bare(code)]
        assert (status, retryable) == (f"{error.status:d}", "yes" if error.retryable else "no")
        assert ("Not sent yet." in meaning) is (error.__name__ not in raised), code


def test_every_way_to_close_a_connection_is_documented_and_no_other() -> None:
    rows = DOCUMENT["How a connection ends"][""].table("what you see")
    told = [(int(row[0].split()[-1]), bare(row[1])) for row in rows if "close" in row[0] and row[1]]
    assert sorted(told) == sorted(how.value for how in Close)


# What the server says by itself


def test_every_event_of_the_server_is_documented_and_no_other() -> None:
    assert set(NOTICES) - {""} == set(ChatNamespace.notices) == {*MessageType, *wire.Notice}


@pytest.mark.parametrize("name", wire.Notice)
def test_an_event_is_documented_as_its_shape_has_it(name: str) -> None:
    said, section = ChatNamespace.notices[name], NOTICES[name]
    if not issubclass(said.shape, Either):
        assert section.fields() == lines_of(said.shape)
    text = "\n".join(section.lines)
    assert ("At most once" in text) is said.at_most_once


@pytest.mark.parametrize("name", MessageType)
def test_the_content_of_a_control_message_is_documented_as_its_shape_has_it(name: str) -> None:
    shape = fields_of(message_shapes.ROWS[name]())["content"].schema
    documented = NOTICES[name].fields("field of `content`")
    if isinstance(shape, message_shapes.ContentShape):
        assert not documented
    else:
        assert documented == lines_of(shape)
        assert bool(NOTICES[name].rules) is has_rule(shape)


def test_what_changes_about_a_member_is_documented_as_its_shape_has_it() -> None:
    documented = NOTICES["room_update"].fields("field of `member`")
    assert documented == lines_of(message_shapes.MemberChangeShape)


def test_nothing_is_sent_that_the_tables_do_not_name() -> None:
    """An event's name is a `Notice` of its namespace, or the type of a message."""
    kinds = (*wire.Notice, *inbox_wire.Notice)
    notices = {f"Notice.{notice.name}" for notice in kinds}
    sent = {ast.unparse(call.args[1]) for call in _calls_of_a_transport()}
    assert notices <= sent <= notices | {"SYSTEM", "message.type"} | OF_PRESENCE | PASSED_ON


def test_every_system_code_is_documented_and_no_other() -> None:
    codes = [bare(row[0]) for row in NOTICES["system"].table("code")]
    assert sorted(codes) == sorted(SystemCode) == sorted(notices.SystemShape.shapes)


@pytest.mark.parametrize("code", SystemCode)
def test_a_system_code_is_documented_as_its_shape_has_it(code: SystemCode) -> None:
    lines = lines_of(notices.SystemShape.shapes[code])
    documented = NOTICES["system"].fields(f"field of `{code}`")
    assert documented == [line for line in lines if line.name != "code"]


# What both say


def test_every_shape_is_documented_as_the_code_has_it() -> None:
    shown = dict(_nested_shapes())
    code, *others = DOCUMENT["Events and acks"]["Error"].fields()  # codes have a table of their own
    assert (code.name, others) == ("code", lines_of(shown.pop("error"))[1:])
    announcement = shown.pop("announcement content")
    assert NOTICES["system"].fields("field of `content`") == lines_of(announcement)
    elsewhere = {"join content", "leave content", "update content", "member change"}
    elsewhere |= {"room changes", "some settings"}
    assert {name.lower() for name in SHAPES} - {""} == set(shown) - elsewhere
    for name in set(SHAPES) - {"", "Content", "Sync part"}:
        documented = SHAPES[name].fields()
        assert _by_name(documented) == _by_name(lines_of(shown[name.lower()])), name


def test_a_part_of_a_sync_is_documented_as_its_shapes_have_it() -> None:
    state, *others = SHAPES["Sync part"].fields()
    assert state == lines_of(shapes.SyncPartShape)[0]
    assert others == lines_of(shapes.SyncedShape)[1:]
    assert [line.name for line in lines_of(shapes.LostShape)] == ["state"]


def test_rooms_have_the_types_of_the_code() -> None:
    assert [bare(row[0]) for row in SHAPES["Room"].table("room type")] == list(RoomType)


def test_memberships_have_the_states_of_the_code() -> None:
    assert [bare(row[0]) for row in SHAPES["Membership"].table("state")] == list(MemberState)


def test_rooms_have_the_settings_of_the_code() -> None:
    names = list(fields_of(room_schemas.SettingsSchema()))
    assert names == list(fields_of(room_shapes.SettingsShape()))
    defaults = {bare(row[0]): row[1] for row in SHAPES["Settings"].table("setting")}
    assert list(defaults) == names
    assert set(names) == {"is_private", *settings.DEFAULTS, "retention_days"}
    for name, default in settings.DEFAULTS.items():
        assert json.loads(bare(defaults[name])) == default


def _nested_shapes() -> Mapping[str, Schema]:
    """Return the objects inside of acks and events, by name."""
    said = [
        *(event.answers for event in ChatNamespace.events.values()),
        *(said.shape for said in ChatNamespace.notices.values()),
    ]
    return {name_of(shape): shape for schema in said for shape in inside(schema())}


def _by_name(lines: Sequence[Field]) -> Mapping[str, Field]:
    """Return the lines of a table whose order is the document's own."""
    return {line.name: line for line in lines}


def _nodes() -> Iterator[ast.AST]:
    for folder in ("namespaces", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            yield from ast.walk(ast.parse(path.read_text()))


def _calls_of_a_transport() -> Iterator[ast.Call]:
    for node in _nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            is_one = owner.endswith("transport") and node.func.attr in ("send", "broadcast")
            if is_one or (owner.endswith("channels") and node.func.attr == "tell"):
                yield node


# The client's rule


@pytest.mark.node
def test_the_example_of_the_rule_is_what_the_rule_does() -> None:
    rule = Rule()
    try:
        rule("sync", "a client", "a room", {**LIVE, "upto": "11e0994e.41"})
        for arrives, does, cursor in DOCUMENT["The client's rule"]["An example"].table(
            "what arrives"
        ):
            verdict, room = rule(*_step(bare(arrives)))
            assert verdict in VERDICTS[does.split(": ")[-1].split(" with ")[0]], does
            assert room["cursor"] == bare(cursor), arrives
    finally:
        rule.close()


LIVE: Mapping[str, Any] = {"state": "ok", "events": [], "more": False}
VERDICTS = {
    "apply": ["applied"],
    "a gap. Send `sync`": ["sync"],
    "ignore": ["ignored"],
    "apply all": ["live"],
}


def _step(arrives: str) -> tuple[str, str, str, Any]:
    payload = json.loads(arrives.replace(", …", ""))
    return ("sync" if "upto" in payload else "event"), "a client", "a room", payload
