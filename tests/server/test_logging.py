import io
import json
import logging
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from parley.server.observability.logging import make_handler, redact
from parley.server.settings import LogFormat

RunPython = Callable[..., subprocess.CompletedProcess[str]]
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"


class Log:
    def __init__(self, log_format: LogFormat | None) -> None:
        self.stream = io.StringIO()
        self.logger = logging.Logger("test")  # noqa: LOG001 (a private one, not in the tree)
        self.logger.addHandler(make_handler(self.stream, log_format))

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def log() -> Log:
    return Log("json")


@pytest.mark.parametrize(
    "text",
    [
        JWT,
        JWT.rsplit(".", 1)[0],  # a log line that was cut
        f"GET /socket.io/?EIO=4&token={JWT}&x=1",
        f"Authorization: Bearer {JWT}",
        "Authorization: Bearer dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g",
        "{'authorization': 'Basic dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g'}",
        'received packet 0/chat,{"token":"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"}',
        r'"{\"token\": \"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g\"}"',
        "refresh_token = dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g",
        """TOKEN='a" b dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g'""",
        "PARLEY_SIGNING_KEYS=a:dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g",
        "redis://user:dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g@10.0.0.1/0",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    hidden = redact(text)
    assert "dBjft" not in hidden
    assert "eyJzdWIi" not in hidden
    assert "***" in hidden
    assert redact(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "the token has no sub",
        "the token expired at 2026-01-01T00:00:00Z",
        "GET /socket.io/?EIO=4&transport=polling",
        "http://127.0.0.1:8080/chat",
        "token_id=abc123",
    ],
)
def test_the_rest_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_what_surrounds_a_secret_stays() -> None:
    assert redact(f'{{"token":"{JWT}","since":{{}}}}') == '{"token":***,"since":{}}'
    assert redact(f"/x?token={JWT}&y=1") == "/x?token=***&y=1"


def test_message_arguments_traceback_and_fields_are_redacted(log: Log) -> None:
    try:
        raise ValueError(f"bad token: {JWT}")
    except ValueError:
        log.logger.exception("got %s", JWT, extra={"action": f"token={JWT}"}, stack_info=True)
    assert JWT[:30] not in log.stream.getvalue()
    [line] = log.objects
    assert line["message"] == "got ***"
    assert "ValueError: bad token: ***" in line["error"]


def test_arguments_that_do_not_fit_do_not_leak(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    log.logger.warning("%d tokens", JWT)
    assert JWT not in capsys.readouterr().err
    assert log.objects[0]["message"] == "log message with wrong arguments: '%d tokens'"


def test_a_json_line_has_the_fields_that_are_there(log: Log) -> None:
    log.logger.info("joined", extra={"user_id": "alice", "room_id": "r1", "other": 1})
    log.logger.warning("slow\nreader", extra={"connection_id": "c1", "error": "timeout"})
    first, second = log.objects
    assert first.pop("timestamp").endswith("+00:00")
    assert first == {"level": "info", "message": "joined", "user_id": "alice", "room_id": "r1"}
    assert (second["connection_id"], second["error"]) == ("c1", "timeout")
    assert second["message"] == "slow\nreader"


def test_text_is_one_line_with_its_fields() -> None:
    log = Log("text")
    log.logger.info("joined\n\x1b[31mforged", extra={"user_id": "alice"})
    [line] = log.lines
    assert line.endswith("INFO    joined\\x0a\\x1b[31mforged  user_id=alice")


def test_text_ends_with_the_traceback() -> None:
    log = Log("text")
    try:
        raise ValueError("why")
    except ValueError:
        log.logger.exception("failed")
    assert log.lines[0].endswith("ERROR   failed")
    assert log.lines[-1] == "ValueError: why"


def test_without_a_terminal_the_format_is_json() -> None:
    log = Log(None)
    log.logger.info("hello")
    assert log.objects[0]["message"] == "hello"


def test_no_level_makes_packets_visible(python: RunPython) -> None:
    program = """
import logging, socketio
from parley.server.observability.logging import configure
configure("debug", "json")
socketio.AsyncServer(async_mode="aiohttp", logger=True, engineio_logger=True)
for name in ("socketio", "socketio.server", "engineio", "engineio.server"):
    logging.getLogger(name).info("packet")
    logging.getLogger(name).warning("trouble")
logging.getLogger("parley.server.app").debug("mine")
"""
    done = python("-c", program)
    messages = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert messages == ["trouble"] * 4 + ["mine"]


def test_what_is_not_http_is_not_printed(python: RunPython) -> None:
    program = """
import logging
from aiohttp.http_exceptions import BadHttpMessage
from parley.server.observability.logging import configure
configure("debug", "json")
try:
    raise BadHttpMessage("CANARY text")
except BadHttpMessage:
    logging.getLogger("aiohttp.server").exception("Error handling request CANARY")
"""
    done = python("-c", program)
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == "not HTTP: BadHttpMessage"
    assert "CANARY" not in line
