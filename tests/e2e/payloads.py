"""JSON of any kind, right and wrong, and the places inside it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Union

Path_ = tuple[str | int, ...]
JSON = Union[None, bool, int, float, str, "Raw", list["JSON"], dict[str, "JSON"]]


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON, or what is not quite JSON, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """One value inside a valid payload."""

    event: str
    path: Path_
    value: Any

    @property
    def free(self) -> bool:
        """Whether the application decides what is here."""
        return "metadata" in self.path or self.path[:1] == ("data",)

    def __str__(self) -> str:
        return self.event + pointer(self.path)


DEPTH = 200

# Never right, wherever it is.
NOT_PLAIN = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "1e400": "1e400",
    "2^63": str(2**63),
    "2^64-1": str(2**64 - 1),
    "an integer no double holds": "1" + "0" * 400,
    "half a pair": r'"a\ud83d"',
    "the other half": r'"\udc0d"',
    "NUL": r'"a\u0000b"',
    "NUL in a name": r'{"a\u0000b":1}',
    "half a pair in a name": r'{"\ud83d":1}',
    "deep lists": "[" * DEPTH + "]" * DEPTH,
    "deep objects": '{"a":' * DEPTH + "1" + "}" * DEPTH,
}
# Not right where a scalar is expected.
NOT_SCALAR = {
    "operator": {"$gt": ""},
    "operator in a list": [{"$ne": None}],
    "regular expression": {"$regex": ".*", "$options": "s"},
    "fraction": 1.5,
    "negative": -1,
}


def pointer(path: Path_) -> str:
    """Return the RFC 6901 pointer of a path."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return "".join(f"/{step}" for step in steps)


def replaced(payload: JSON, path: Path_, value: JSON) -> JSON:
    """Return ``payload`` with another value at ``path``."""
    if not path:
        return value
    step, *rest = path
    if isinstance(payload, list):
        return [
            replaced(inner, tuple(rest), value) if index == step else inner
            for index, inner in enumerate(payload)
        ]
    members = payload if isinstance(payload, dict) else {}
    name = str(step)
    return {**members, name: replaced(members.get(name), tuple(rest), value)}


def removed(payload: dict[str, Any], path: Path_) -> dict[str, Any]:
    """Return ``payload`` without the member at ``path``."""
    step, *rest = path
    if not rest:
        return {key: inner for key, inner in payload.items() if key != step}
    return {**payload, str(step): removed(payload[str(step)], tuple(rest))}


def text_of(value: JSON) -> str:
    """Write JSON, with what is `Raw` as it is."""
    match value:
        case Raw():
            return value.text
        case dict():
            members = (f"{json.dumps(key)}:{text_of(inner)}" for key, inner in value.items())
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(text_of, value)) + "]"
        case _:
            return json.dumps(value)


def walk(value: JSON, path: Path_ = ()) -> Iterator[tuple[Path_, JSON]]:
    """Yield every value inside a payload with its path, from the outside in."""
    if path:
        yield path, value
    match value:
        case dict():
            for key, inner in value.items():
                yield from walk(inner, (*path, key))
        case list():
            for index, inner in enumerate(value):
                yield from walk(inner, (*path, index))
        case _:
            pass


def pointers_of(error: dict[str, Any]) -> list[str]:
    """Return where an error says that something is wrong."""
    return [entry["pointer"] for entry in error["details"]["errors"]]


def is_at(error: dict[str, Any], path: Path_) -> bool:
    """Return whether an error is at the place or inside it."""
    return any(found.startswith(pointer(path)) for found in pointers_of(error))
