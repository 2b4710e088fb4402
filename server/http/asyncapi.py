"""The AsyncAPI document: Socket.IO as clients see it, made from the namespaces' tables.

AsyncAPI speaks of the application, which is this server: what it receives, a client sends. A
namespace is a channel. Events of both directions may share a name, so messages are called
``<event>.request``, ``<event>.ack`` and ``<event>.event``.
"""

import inspect
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from marshmallow import Schema

from parley.namespaces.base import BaseNamespace
from parley.namespaces.errors import ClientError
from parley.namespaces.shapes import RefusalShape, Said
from parley.namespaces.table import Event
from parley.server import __version__
from parley.server.http.json_schema import Definitions, Json, example_of

_INTRODUCTION = """
Chat and notifications over Socket.IO v4 (Engine.IO 4): WebSocket or long polling, whichever the
network lets through. A channel is a Socket.IO namespace, a message is an event with one object as
payload.

What a client sends is answered with an ack: `{ok: true, data}` or `{ok: false, error}`, never
silence. An event that fails and did not ask for an ack is answered with `system`, code
`rejected`. Requests that change something carry a `client_id`; the same one again has no second
effect and gets the first answer.

Ignore fields and events that you do not know: later versions add some. How cursors and catching
up work is in docs/protocol.md.
"""

_AUTH = """
A JWT: in `auth.token` of CONNECT, or in the header `Authorization: Bearer` of the handshake
request. Never in the URL.
"""


_CONNECT = (
    "CONNECT carries `auth`: an object with `token` and, to be brought up to date at once, "
    "`since`: how far the client has everything, as in the payload of the event `sync`."
)


def asyncapi_document(
    namespaces: Mapping[str, type[BaseNamespace]], *, host: str, secure: bool
) -> Json:
    """Return the document.

    Args:
        namespaces: By the name under which a client connects: ``/chat``.
        host: Where clients reach this server, with its port.
        secure: Whether they do so by TLS.
    """
    writer = _Writer()
    for name, namespace in namespaces.items():
        writer.write(name, namespace)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parley",
            "version": __version__,
            "description": _INTRODUCTION.strip(),
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
        },
        "defaultContentType": "application/json",
        "servers": {"here": _server(host, secure=secure)},
        "channels": writer.channels,
        "operations": writer.operations,
        "components": {
            "messages": writer.messages,
            "schemas": dict(sorted(writer.definitions.components.schemas.items())),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": " ".join(_AUTH.split()),
                }
            },
        },
        "x-errors": [_error(kind) for kind in ClientError.__subclasses__()],
    }


def _server(host: str, *, secure: bool) -> Json:
    return {
        "host": host,
        "pathname": "/socket.io/",
        "protocol": "wss" if secure else "ws",
        "protocolVersion": "Engine.IO 4, Socket.IO 5",
        "description": "Any Socket.IO client of version 3 or newer. Without WebSocket it uses "
        "long polling at the same path.",
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def _error(kind: type[ClientError]) -> Json:
    return {
        "code": kind.code,
        "status": HTTPStatus(kind.status).value,
        "retryable": kind.retryable,
        "meaning": str(kind()),
    }


class _Writer:
    """Writes namespaces; the schemas that they share are gathered on the way."""

    def __init__(self) -> None:
        self.definitions = Definitions()
        self.channels: Json = {}
        self.operations: Json = {}
        self.messages: Json = {}

    def write(self, name: str, namespace: type[BaseNamespace]) -> None:
        channel = name.removeprefix("/")
        messages = dict(self._messages(namespace))
        for key, message in messages.items():
            self.messages[f"{channel}.{key}"] = message
        self.channels[channel] = {
            "address": name,
            "title": f"The namespace {name}",
            "description": _CONNECT,
            "messages": {
                key: {"$ref": f"#/components/messages/{channel}.{key}"} for key in messages
            },
        }
        for event in namespace.events.values():
            self.operations[f"{channel}.{event.name}.request"] = _request(channel, event)
        for event_name, said in namespace.notices.items():
            self.operations[f"{channel}.{event_name}.event"] = _notice(channel, event_name, said)

    def _messages(self, namespace: type[BaseNamespace]) -> Iterator[tuple[str, Json]]:
        for event in namespace.events.values():
            name, payload = event.name, example_of(event.schema)
            yield (
                f"{name}.request",
                self._message(name, f"{name}, sent by a client", event.schema, payload),
            )
            yield f"{name}.ack", self._ack(event)
        for name, said in namespace.notices.items():
            title = f"{name}, sent by the server"
            yield f"{name}.event", self._message(name, title, said.shape, example_of(said.shape))

    def _message(self, name: str, title: str, schema: Schema | type[Schema], example: Any) -> Json:
        return {
            "name": name,
            "title": title,
            "payload": self.definitions.ref(schema),
            "examples": [{"payload": example}],
        }

    def _ack(self, event: Event) -> Json:
        done = {
            "type": "object",
            "properties": {"ok": {"const": True}, "data": self.definitions.ref(event.answers)},
            "required": ["ok", "data"],
            "additionalProperties": False,
        }
        payload = {"oneOf": [done, self.definitions.ref(RefusalShape)]}
        examples = [{"ok": True, "data": example_of(event.answers)}, example_of(RefusalShape)]
        return {
            "name": f"{event.name} ack",
            "title": f"The answer to {event.name}",
            "payload": payload,
            "examples": [{"payload": example} for example in examples],
        }


def _request(channel: str, event: Event) -> Json:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": _summary(event.method),
        "messages": [{"$ref": f"#/channels/{channel}/messages/{event.name}.request"}],
        "reply": {
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{event.name}.ack"}],
        },
    }


def _notice(channel: str, name: str, said: Said) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": _summary(said.shape),
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}.event"}],
        "x-at-most-once": said.at_most_once,
    }


def _summary(described: object) -> str:
    return inspect.cleandoc(described.__doc__ or "").partition("\n\n")[0].replace("``", "`")
