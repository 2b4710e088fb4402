"""Logs: JSON lines for machines, plain lines for people, secrets for nobody."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

from parley.server.settings import LogFormat, LogLevel

FIELDS = ("user_id", "room_id", "connection_id", "action", "error")
"""What a call may add with ``extra=``, under the same names in both formats."""

# They print every packet at INFO, the CONNECT packet with its token included; PyMongo every
# command at DEBUG, with what people wrote.
_TALKATIVE = ("socketio", "socketio.server", "engineio", "engineio.server", "pymongo")

_HIDDEN = "***"
# None of them looks twice at the same characters, whatever a client gets into a log line.
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{4,}\.[\w-]*(?:\.[\w-]*)?")
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
# The value after token=, "token": , authorization: and so on: quoted, even within quotes, or bare.
_NAMED = re.compile(
    r"""((?:token|authorization|password|secret|signing_keys?)\\*["']?\s*[:=]\s*)"""
    r"""(?:(?P<quote>\\*["']).*?(?:(?P=quote)|$)|(?:(?:bearer|basic)\s+)?[^\s"'&,;}\])]+)""",
    re.IGNORECASE | re.MULTILINE,
)

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def redact(text: str) -> str:
    """Return ``text`` without tokens, passwords and keys."""
    text = _JWT.sub(_HIDDEN, text)
    text = _BEARER.sub(rf"\1 {_HIDDEN}", text)
    text = _IN_URL.sub(rf"\1{_HIDDEN}@", text)
    return _NAMED.sub(rf"\1{_HIDDEN}", text)


class Redaction(logging.Filter):
    """Hides secrets in message, traceback and fields, before any formatter sees them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change ``record`` and let it pass."""
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info:
            # A formatter takes this text and does not look at the exception again.
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        for name, value in _fields(record).items():
            setattr(record, name, redact(value))
        return True


class WithoutRequest(logging.Filter):
    """Cuts what aiohttp prints of a request that is not HTTP: it may hold anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change ``record`` and let it pass; other errors keep their traceback."""
        # By name: importing aiohttp would make the short commands slow.
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__module__ == "aiohttp.http_exceptions":
            record.exc_info = record.exc_text = None
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = "not HTTP: %s", (type(error).__name__,)
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what is absent is absent."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        line = {
            "level": record.levelname.lower(),
            "timestamp": _moment(record).isoformat(timespec="milliseconds"),
            "message": record.getMessage(),
            **_fields(record),
        }
        details = [line.get("error"), record.exc_text, record.stack_info]
        if any(details):
            line["error"] = "\n".join(detail for detail in details if detail)
        return json.dumps(line)


class TextFormatter(logging.Formatter):
    """``12:00:00.000 INFO    message  user_id=alice``, then the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        moment = _moment(record).astimezone().isoformat(" ", "milliseconds")
        parts = [record.getMessage(), *(f"{k}={v}" for k, v in _fields(record).items())]
        # A line is a line: no client forges another one, or paints the terminal.
        text = "  ".join(parts).translate(_CONTROL)
        lines = [f"{moment[11:23]} {record.levelname:<7} {text}"]
        lines += [more for more in (record.exc_text, record.stack_info) if more]
        return "\n".join(lines)


def make_handler(stream: TextIO, log_format: LogFormat | None) -> logging.Handler:
    """Return a handler that redacts; without a format, text on a terminal and JSON elsewhere."""
    json_lines = not stream.isatty() if log_format is None else log_format == "json"
    handler = logging.StreamHandler(stream)
    handler.addFilter(Redaction())
    handler.setFormatter(JsonFormatter() if json_lines else TextFormatter())
    return handler


def configure(level: LogLevel, log_format: LogFormat | None = None) -> None:
    """Send everything from ``level`` on to standard error.

    Call it before a Socket.IO server is made: that gives its loggers a handler of their own
    unless they have a level.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=number, handlers=[make_handler(sys.stderr, log_format)], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.getLogger("aiohttp.server").addFilter(WithoutRequest())


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # The arguments do not fit. Left alone, logging would print them as they are.
        return f"log message with wrong arguments: {record.msg!r}"


def _fields(record: logging.LogRecord) -> dict[str, str]:
    present = {name: getattr(record, name, None) for name in FIELDS}
    return {name: str(value) for name, value in present.items() if value is not None}


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
