"""The OpenAPI document, made from the table of routes."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

from parley.namespaces.errors import (
    ClientError,
    ClientIdReused,
    Draining,
    Forbidden,
    Internal,
    Invalid,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from parley.namespaces.shapes import ErrorBodyShape
from parley.server import __version__
from parley.server.http.api import HEADERS, MAX_BODY_BYTES, PREFIX, Route, Routes, Where
from parley.server.http.json_schema import Definitions, Json, example_of, fields_of

ANYWHERE = (Invalid, Unauthorized, Forbidden, Unavailable, Draining, Internal)
"""What every operation may fail with; `Forbidden` where a web page may not ask."""

_INTRODUCTION = """
The requests of the chat over HTTP: the same rules, rights, shapes and errors as with the events
of the same names over Socket.IO. What happens in a room is heard over Socket.IO only.

- Every request has the header `Authorization: Bearer` and a token. Bodies are JSON, at most
  65,536 bytes.
- A success answers with what the event's ack has as `data`. Anything else has the body `Error`;
  `pointer` in its details names a field of the body (`/name`), a parameter (`/limit`) or a
  header (`/Idempotency-Key`).
- Lists have `items` and, if there is more, `next`: send it as `cursor` to go on.
- `Idempotency-Key` is the `client_id` of the events. A retry with the same key has no second
  effect. Make a new one for each new request.
- `HEAD` is answered wherever `GET` is, and `OPTIONS` where a browser asks for another origin.
"""

_PARAMETERS: Mapping[str, Json] = {
    HEADERS["client_id"]: {
        "description": "Makes retries safe: send the same one with each try of this request.",
        "example": "0b9d6c1e-4b0e-4d5f-9d6e-2f6f8f1c7a10",
    },
    HEADERS["if_rev"]: {
        "description": "The `ETag` of the room as you know it, or `*`. Changes nothing if "
        "somebody else changed the room since.",
        "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,15}")$'},
        "example": '"7"',
    },
}


def openapi_document(table: Iterable[Routes], public: Mapping[str, str]) -> Json:
    """Return the document.

    Args:
        public: Paths below `PREFIX` that need no token, with what is found there.
    """
    table = tuple(table)
    every = [route for routes in table for route in routes]
    spec = Definitions(
        "Parley",
        __version__,
        info={
            "description": _INTRODUCTION.strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        servers=[{"url": "/"}],
        security=[{"bearer": []}],
    )
    spec.components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    )
    for routes in table:
        spec.tag({"name": routes.name, "description": routes.description})
    spec.tag({"name": _DOCUMENTS, "description": "Descriptions of all this, for programs."})
    writer = _Writer(spec, every)
    for route in every:
        operation = writer.operation(route)
        spec.path(PREFIX + route.path, operations={route.method.lower(): operation})
    for path, summary in public.items():
        spec.path(PREFIX + path, operations={"get": writer.document(path, summary)})
    return spec.to_dict()


_DOCUMENTS = "Documents"


class _Writer:
    """Writes operations; what they share is entered in the document on the way."""

    def __init__(self, spec: Definitions, every: Sequence[Route]) -> None:
        self._spec = spec
        self._every = every

    def operation(self, route: Route) -> Json:
        only = "" if route.role is None else f"For tokens with the role `{route.role}`."
        found: Json = {
            "operationId": route.name,
            "tags": [route.group],
            "summary": route.summary,
            "parameters": [
                self._parameter(route, name, where)
                for name, where in route.fields.items()
                if where is not Where.BODY
            ],
            "responses": {**self._successes(route), **self._failures(route)},
        }
        if description := f"{only} {route.description}".strip():
            found["description"] = description
        if route.has_body:
            found["requestBody"] = self._body(route)
        return found

    def document(self, path: str, summary: str) -> Json:
        name = path.strip("/").replace(".", "_")
        content = {"application/json": {"schema": {"type": "object"}}}
        return {
            "operationId": f"get_{name}",
            "tags": [_DOCUMENTS],
            "summary": summary,
            "security": [],
            "responses": {
                "200": {"description": "The document.", "content": content},
                **self._grouped((Forbidden, Internal)),
            },
        }

    def _parameter(self, route: Route, name: str, where: Where) -> Json:
        field = fields_of(route.takes)[name]
        called = HEADERS.get(name, name)
        schema = self._spec.field(field)
        found: Json = {"name": called, "in": where.value, "schema": schema}
        if where is Where.PATH or (where is Where.QUERY and field.required):
            found["required"] = True
        if description := schema.pop("description", None):
            found["description"] = description
        return {**found, **_PARAMETERS.get(called, {})}

    def _body(self, route: Route) -> Json:
        names = [name for name, where in route.fields.items() if where is Where.BODY]
        example = example_of(route.takes)
        if route.body is not None:
            schema: object = self._spec.field(fields_of(route.takes)[route.body])
            example = example[route.body]
        else:
            schema = type(route.takes)(only=names)
            example = {name: example[name] for name in names if name in example}
        content = {"schema": schema, "example": example}
        return {"required": True, "content": {"application/json": content}}

    def _successes(self, route: Route) -> Json:
        found: Json = {}
        for status, shape in route.gives.items():
            found[str(status)] = {
                "description": HTTPStatus(status).phrase + ".",
                "content": {
                    "application/json": {
                        "schema": shape,
                        "example": example_of(shape),
                    }
                },
            }
            if route.tagged:
                found[str(status)]["headers"] = {"ETag": _ETAG}
            if route.names:
                found[str(status)]["links"] = self._links(route)
        return found

    def _links(self, route: Route) -> Json:
        """Return the operations that may follow, with what they take of this one's answer."""
        return {
            other.name: {
                "operationId": other.name,
                "parameters": {name: f"$response.body#{pointer}"},
            }
            for name, pointer in route.names.items()
            for other in self._every
            if other.fields.get(name) is Where.PATH
        }

    def _failures(self, route: Route) -> Json:
        kinds: list[type[ClientError]] = [*ANYWHERE, *route.fails]
        if route.has_body:
            kinds.append(TooLarge)
        if "client_id" in route.fields:
            kinds.append(ClientIdReused)
        return self._grouped(kinds)

    def _grouped(self, kinds: Iterable[type[ClientError]]) -> Json:
        by_status: dict[int, list[type[ClientError]]] = {}
        for kind in dict.fromkeys(kinds):
            by_status.setdefault(kind.status, []).append(kind)
        return {
            str(int(status)): self._response(status, found)
            for status, found in sorted(by_status.items())
        }

    def _response(self, status: int, kinds: list[type[ClientError]]) -> str:
        """Return the name of a response, which is described once."""
        name = "_".join([str(int(status)), *(kind.code for kind in kinds)])
        if name not in self._spec.components.responses:
            body = {
                "schema": ErrorBodyShape,
                "examples": {
                    kind.code: {"value": {"error": _instance(kind).to_wire()}} for kind in kinds
                },
            }
            found: Json = {
                "description": " ".join(f"`{kind.code}`: {_instance(kind)}." for kind in kinds),
                "content": {"application/json": body},
            }
            if headers := _HEADERS.get(status):
                found["headers"] = headers
            self._spec.components.response(name, found)
        return name


_ETAG = {"description": "The room's `rev`, for `If-Match`.", "schema": {"type": "string"}}
_HEADERS: Mapping[int, Json] = {
    HTTPStatus.UNAUTHORIZED: {
        "WWW-Authenticate": {"description": "`Bearer`.", "schema": {"type": "string"}}
    },
    HTTPStatus.SERVICE_UNAVAILABLE: {
        "Retry-After": {
            "description": "Not before this many seconds.",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        }
    },
}


def _instance(kind: type[ClientError]) -> ClientError:
    if kind is TooLarge:
        return TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes")
    if kind is Invalid:
        return Invalid.at("/limit", "Must be greater than or equal to 1.")
    return kind()
