"""The private parts of aiohttp and python-socketio that the engine stands on.

A failure here says what an upgrade has moved, and where the engine uses it. Each seam is also
named in the docstring of the module that uses it.
"""

# pyright: standard
# (python-socketio ships without types)

import configparser
import inspect
from importlib.metadata import version
from pathlib import Path
from typing import Any

import engineio
import pytest
import socketio
from aiohttp import WSMsgType, web, web_protocol
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http_websocket import WebSocketError
from packaging.requirements import Requirement

PINNED = ("aiohttp", "python-engineio", "python-socketio")


@pytest.mark.parametrize("name", PINNED)
def test_the_version_is_one_that_was_looked_at(name: str) -> None:
    """The installed version is inside the pin of setup.cfg, which is that of a minor."""
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[3] / "setup.cfg")
    required = map(Requirement, config["options"]["install_requires"].strip().splitlines())
    (pin,) = [requirement for requirement in required if requirement.name == name]
    assert str(pin.specifier).startswith("~="), f"{name} must be pinned to a minor"
    assert str(pin.specifier).count(".") == 2, f"{name} must be pinned to a minor"
    installed = version(name)
    assert pin.specifier.contains(installed), (
        f"{name} {installed} is outside {pin.specifier}: look at every seam in this file, run the "
        "official suites, then move the pin"
    )


SEAMS: dict[str, tuple[Any, str]] = {
    "socketio.AsyncServer._engineio_server_class": (socketio.AsyncServer, "server.py"),
    "socketio.AsyncServer._send_packet": (socketio.AsyncServer, "server.py"),
    "socketio.AsyncServer._trigger_event": (socketio.AsyncServer, "handlers.py"),
    "socketio.AsyncServer._get_event_handler": (socketio.AsyncServer, "handlers.py"),
    "socketio.AsyncServer._get_namespace_handler": (socketio.AsyncServer, "handlers.py"),
    "socketio.AsyncServer._handle_eio_connect": (socketio.AsyncServer, "server.py"),
    "socketio.AsyncServer.reason": (socketio.AsyncServer, "server.py"),
    "socketio.AsyncManager.set_server": (socketio.AsyncManager, "manager.py"),
    "socketio.AsyncManager.trigger_callback": (socketio.AsyncManager, "manager.py"),
    "socketio.AsyncManager.can_disconnect": (socketio.AsyncManager, "manager.py"),
    "engineio.AsyncServer._get_socket": (engineio.AsyncServer, "engine.py"),
    "engineio.AsyncServer.transport": (engineio.AsyncServer, "engine.py"),
    "engineio.AsyncServer.generate_id": (engineio.AsyncServer, "engine.py"),
    "engineio.AsyncServer.send": (engineio.AsyncServer, "engine.py"),
    "aiohttp.web_protocol.RequestHandler._message_tail": (
        web_protocol.RequestHandler,
        "websocket.py",
    ),
    "aiohttp.web_protocol.RequestHandler.connection_lost": (
        web_protocol.RequestHandler,
        "websocket.py",
    ),
    "aiohttp.web.StreamResponse.prepared": (web.StreamResponse, "handshake.py"),
    "aiohttp.web.StreamResponse.prepare": (web.StreamResponse, "handshake.py"),
    "aiohttp.web.StreamResponse.write_eof": (web.StreamResponse, "handshake.py"),
}


@pytest.mark.parametrize("name", SEAMS)
def test_a_seam_is_where_it_was(name: str) -> None:
    """The attribute that the engine overrides or reads is there under its name."""
    owner, module = SEAMS[name]
    attribute = name.rpartition(".")[2]
    there = hasattr(owner, attribute) or attribute in getattr(owner, "__slots__", ())
    assert there, f"{name} has moved; server/engine/{module} stands on it"


ATTRIBUTES: dict[str, tuple[tuple[str, ...], str]] = {
    "socketio": (
        ("eio", "handlers", "manager", "manager_initialized", "namespace_handlers", "namespaces",
         "not_handled"),
        "server.py",
    ),
    "manager": (("callbacks", "server"), "manager.py"),
    "engineio": (
        ("handlers", "max_http_buffer_size", "ping_interval", "ping_timeout", "sockets",
         "transports"),
        "engine.py",
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", ATTRIBUTES)
def test_an_instance_has_what_the_engine_reads(which: str) -> None:
    """The attributes that constructors set are there under their names."""
    server = socketio.AsyncServer(async_mode="aiohttp")
    owner = {"socketio": server, "manager": server.manager, "engineio": server.eio}[which]
    names, module = ATTRIBUTES[which]
    gone = [name for name in names if not hasattr(owner, name)]
    assert gone == [], f"{which} has lost {gone}; server/engine/{module} stands on it"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLIENT_DISCONNECT", "client disconnect"),
        ("SERVER_DISCONNECT", "server disconnect"),
        ("PING_TIMEOUT", "ping timeout"),
        ("TRANSPORT_CLOSE", "transport close"),
        ("TRANSPORT_ERROR", "transport error"),
    ],
)
def test_reasons_are_what_handlers_compare_with(name: str, value: str) -> None:
    """The words that a disconnect handler gets are those of python-socketio."""
    assert getattr(engineio.Server.reason, name) == value
    assert getattr(socketio.AsyncServer.reason, name) == value


def test_the_stock_server_asks_for_its_engine() -> None:
    """A server builds the engine from the class that the method names."""

    class Own(engineio.AsyncServer):  # type: ignore[misc]  # engineio is untyped
        """An engine of its own."""

    class Server(socketio.AsyncServer):  # type: ignore[misc]  # socketio is untyped
        """A server on it."""

        def _engineio_server_class(self) -> type[Own]:
            return Own

    assert type(Server(async_mode="aiohttp").eio) is Own


def test_the_connect_and_send_hooks_are_coroutines_with_these_arguments() -> None:
    """The signatures are those that the engine overrides."""
    stock = socketio.AsyncServer
    expected = {
        stock._send_packet: ["self", "eio_sid", "pkt"],
        stock._trigger_event: ["self", "event", "namespace", "args"],
        stock._handle_eio_connect: ["self", "eio_sid", "environ"],
        socketio.AsyncManager.trigger_callback: ["self", "sid", "id", "data"],
    }
    for method, arguments in expected.items():
        assert inspect.iscoroutinefunction(method), (
            f"{method.__qualname__} is no coroutine any more"
        )
        found = list(inspect.signature(method).parameters)
        assert found == arguments, f"{method.__qualname__} takes {found}; see server/engine"


class _Queue(WebSocketDataQueue):
    """What the engine puts in the place of aiohttp's queue: without its ``__init__``."""

    _size = 0
    _limit = 0

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def feed_data(self, data: Any, size: int) -> None:
        """Take a message."""
        self.heard.append((data[0], data[1]))

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """Take an error."""
        self.heard.append(exc)


def test_the_reader_of_aiohttp_gives_each_message_to_its_queue_at_once() -> None:
    """`feed_data` is called inside of it, with kind and bytes first, for each message."""
    queue = _Queue()
    reader = WebSocketReader(queue, 100, compress=False, decode_text=False)
    reader.feed_data(b"\x81\x024x" + b"\x82\x01\xff" + b"\x89\x00" + b"\x88\x02\x03\xe8" + b"\x81")
    assert queue.heard == [
        (WSMsgType.TEXT, b"4x"),
        (WSMsgType.BINARY, b"\xff"),
        (WSMsgType.PING, b""),
        (WSMsgType.CLOSE, 1000),
    ], "server/engine/websocket.py stands on aiohttp's WebSocketReader"


@pytest.mark.parametrize(("data", "code"), [(b"\x83\x00", 1002), (b"\x81\x7e\x01\x00", 1009)])
def test_the_reader_of_aiohttp_tells_its_queue_what_is_wrong(data: bytes, code: int) -> None:
    """`set_exception` gets a WebSocketError with the close code when a frame is broken."""
    queue = _Queue()
    WebSocketReader(queue, 100, compress=False, decode_text=False).feed_data(data)
    (error,) = queue.heard
    assert isinstance(error, WebSocketError)
    assert error.code == code
