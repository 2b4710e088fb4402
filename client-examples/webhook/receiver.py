"""A receiver of pushes: checks the signature, drops repetitions, prints; standard library alone.

Put what you want to happen into `handle`. What was handled is remembered in a file, so a
repetition after a restart is known, too.
"""

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

MAX_BODY = 65_536  # bytes
MAX_AGE_S = 300  # of a request; and clocks may differ by as much
REMEMBER_S = 2 * 24 * 3_600  # pushes are tried for one day


def handle(notification: Mapping[str, Any]) -> None:
    """Do something with a notification. What this raises has the server try again later."""
    content = notification["content"]
    text = f"{notification['to']}: {content['title']}: {content['body']}"
    # It may be any text, also one that moves the cursor of a terminal.
    print("".join(letter for letter in text if letter.isprintable()), flush=True)


def is_genuine(secret: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether whoever sent this knows the secret, and sent it lately."""
    timestamp = headers.get("Parley-Timestamp", "")
    signed = timestamp.encode() + b"." + body
    expected = "v1=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
    given = headers.get("Parley-Signature", "")
    # In constant time: the time it takes must not tell how much of it is right.
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return False
    return timestamp.isdecimal() and abs(now - int(timestamp)) <= MAX_AGE_S


class Memory:
    """Which pushes were handled."""

    def __init__(self, path: Path | str) -> None:
        self._file = sqlite3.connect(path)
        self._file.execute("CREATE TABLE IF NOT EXISTS handled (id TEXT PRIMARY KEY, at REAL)")

    def handle_once(self, push_id: str, notification: Mapping[str, Any], now: float) -> bool:
        """Handle a push unless it was handled before; False if it was."""
        with self._file:  # commits at the end, and not if `handle` raises
            self._file.execute("DELETE FROM handled WHERE at < ?", (now - REMEMBER_S,))
            entered = self._file.execute(
                "INSERT OR IGNORE INTO handled VALUES (?, ?)", (push_id, now)
            )
            if entered.rowcount:
                handle(notification)
            return entered.rowcount > 0


class Receiver(BaseHTTPRequestHandler):
    """One request."""

    secret: bytes
    memory: Memory
    timeout = 10  # seconds to send a request in

    def do_POST(self) -> None:
        """Answer 204 when it is handled, 200 when it was before."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        now = time.time()
        if not is_genuine(self.secret, dict(self.headers), body, now):
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        push = json.loads(body)
        try:
            new = self.memory.handle_once(push["id"], push["notification"], now)
        except Exception as error:  # whatever `handle` raises: not now, perhaps later
            sys.stderr.write(f"{push['id']}: {error!r}\n")
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._answer(HTTPStatus.NO_CONTENT if new else HTTPStatus.OK)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of each request; `handle` does."""


def main() -> int:
    """Receive until Ctrl-C; return 2 without a secret."""
    parser = argparse.ArgumentParser(description="Receive pushes of Parley.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000, help="0 picks a free one")
    beside = Path(__file__).with_name("handled-pushes.sqlite3")
    parser.add_argument("--memory", default=beside, help="what was handled")
    options = parser.parse_args()
    secret = os.environ.get("PUSH_SECRET", "")
    if not secret:
        sys.stderr.write("PUSH_SECRET is not set: what the server has as PARLEY_PUSH_SECRET\n")
        return 2
    Receiver.secret = secret.encode()
    Receiver.memory = Memory(options.memory)
    with HTTPServer((options.host, options.port), Receiver) as server:
        print(f"Receiving pushes on http://{options.host}:{server.server_port}/", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
