"""The AsyncAPI document: valid, whole, and of one mind with the schemas that the door uses."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from marshmallow import Schema, ValidationError

from parley.namespaces.errors import ClientError
from parley.server.http.asyncapi import asyncapi_document
from parley.server.http.json_schema import example_of, name_of
from tests.e2e.payloads import pointer, removed, replaced, walk
from tests.protocol_document import read
from tests.server.http.conftest import Caller
from tests.shapes import NAMESPACES

PACKAGE = Path(__file__).parents[2] / "e2e" / "node" / "node_modules" / "@asyncapi" / "specs"
GUIDE = read()
DOCUMENT = asyncapi_document(NAMESPACES, host="chat.example.org", secure=True)
CHANNELS = {name.removeprefix("/"): namespace for name, namespace in NAMESPACES.items()}
MESSAGES: Mapping[str, Any] = DOCUMENT["components"]["messages"]


@pytest.mark.node
async def test_it_is_valid(nobody: Caller) -> None:
    specification = json.loads((PACKAGE / "schemas" / "3.0.0.json").read_text())
    for document in (DOCUMENT, (await nobody("GET", "/asyncapi.json")).body):
        assert document["asyncapi"] == "3.0.0"
        validator: Any = Draft7Validator(specification)
        validator.validate(document)


def test_every_reference_leads_somewhere() -> None:
    used = set(_references(DOCUMENT))
    for reference in used:
        place = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert schemas <= used


def test_it_has_every_event_of_both_directions() -> None:
    received = {name for name, _ in _operations("receive")}
    sent = {name: told["x-at-most-once"] for name, told in _operations("send")}
    of_clients = {f"{at}.{name}" for at, door in CHANNELS.items() for name in door.events}
    of_the_server = {
        f"{at}.{name}": said.at_most_once
        for at, door in CHANNELS.items()
        for name, said in door.notices.items()
    }
    assert received == of_clients
    assert sent == of_the_server
    for name, told in _operations("receive"):
        [request], [reply] = told["messages"], told["reply"]["messages"]
        assert request["$ref"].endswith(f"/messages/{name.split('.')[1]}.request")
        assert reply["$ref"].endswith(f"/messages/{name.split('.')[1]}.ack")


def test_it_has_every_error() -> None:
    told = {error["code"]: error for error in DOCUMENT["x-errors"]}
    assert set(told) == {kind.code for kind in ClientError.__subclasses__()}
    assert set(DOCUMENT["components"]["schemas"]["Error"]["properties"]["code"]["enum"]) == set(
        told
    )


@pytest.mark.parametrize("key", MESSAGES)
def test_the_examples_of_a_message_are_valid(key: str) -> None:
    for example in MESSAGES[key]["examples"]:
        _validator(MESSAGES[key]["payload"]).validate(example["payload"])


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_the_examples_of_a_field_are_valid(name: str) -> None:
    properties = DOCUMENT["components"]["schemas"][name].get("properties", {})
    for written in properties.values():
        for example in written.get("examples", ()):
            _validator(written).validate(example)


@pytest.mark.parametrize(
    ("channel", "part"),
    [
        ("chat", "Events a client sends"),
        ("presence", "Presence: events a client sends"),
        ("notification", "Events a client sends to /notification"),
    ],
)
def test_the_examples_of_the_protocol_are_valid(channel: str, part: str) -> None:
    for name in CHANNELS[channel].events:
        [example] = GUIDE[part][name].examples
        _validator(MESSAGES[f"{channel}.{name}.request"]["payload"]).validate(example)


def test_the_acks_of_the_protocol_are_valid() -> None:
    done, refused = GUIDE["Events and acks"][""].examples
    for channel, door in CHANNELS.items():
        for name in door.events:
            _validator(MESSAGES[f"{channel}.{name}.ack"]["payload"]).validate(refused)
    _validator(MESSAGES["chat.typing.ack"]["payload"]).validate(done)


# Of one mind with marshmallow

ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**53, 10**9),
    *("", " ", "x", "sys:abcdefgh", "é" * 81, "x" * 513, "text", "https://", "https://a.b"),
    *([], ["x"], ["text", "text"], ["alice"] * 300, {}, {"x": 1}),
]


def _described() -> Iterator[Any]:
    schemas: dict[str, Schema] = {}
    for door in CHANNELS.values():
        for event in door.events.values():
            schemas[name_of(event.schema)] = event.schema
            schemas[name_of(event.answers)] = event.answers()
        for said in door.notices.values():
            schemas[name_of(said.shape)] = said.shape()
    for name, schema in schemas.items():
        yield pytest.param(schema, id=name)


@pytest.mark.parametrize("schema", list(_described()))
def test_it_accepts_what_the_schema_accepts(schema: Schema) -> None:
    validator = _validator({"$ref": f"#/components/schemas/{name_of(schema)}"})
    whole = example_of(schema)
    assert _loads(schema, whole)
    for path, _ in walk(whole):
        for value in ODD:
            odd = replaced(whole, path, value)
            assert validator.is_valid(odd) is _loads(schema, odd), (pointer(path), value)
    for path in [path for path, _ in walk(whole) if isinstance(path[-1], str)]:
        for odd in (_without(whole, path), replaced(whole, (*path[:-1], "no_such_field"), 1)):
            assert validator.is_valid(odd) is _loads(schema, odd), pointer(path)


def _without(whole: Any, path: tuple[str | int, ...]) -> Any:
    inner = [step for step in path if isinstance(step, int)]
    return whole if inner else removed(whole, path)


def _loads(schema: Schema, value: Any) -> bool:
    try:
        schema.load(value)
    except ValidationError:
        return False
    return True


def _validator(schema: Any) -> Any:
    return Draft7Validator({"allOf": [schema], "components": DOCUMENT["components"]})


def _operations(action: str) -> list[tuple[str, Any]]:
    return [
        (name.rpartition(".")[0], told)
        for name, told in DOCUMENT["operations"].items()
        if told["action"] == action
    ]


def _references(value: Any) -> Iterator[str]:
    for path, inner in walk(value):
        if path[-1] == "$ref":
            yield str(inner)
