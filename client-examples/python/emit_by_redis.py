"""A backend that tells connected clients something by Redis, with python-socketio's own manager.

It needs no token and no address of a server: whoever may publish on that Redis may do this. Who is
not connected at the moment misses it; what must arrive goes by HTTP, as in post.py.
"""

import argparse
import json
import logging
import os
import sys
from typing import Any

import socketio

HERE = "redis://127.0.0.1:6379/0"
TRY_LATER = 75  # exit status, EX_TEMPFAIL of sysexits.h


class Unpublished(logging.Handler):
    """Keeps what the manager could not do: it says so in its log and nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.why: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line of the log."""
        self.why.append(str(getattr(record, "redis_exception", record.getMessage())))


def as_json(text: str) -> Any:
    """Read JSON, or say what is wrong with it."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None


def main() -> int:
    """Return 0 when Redis has it, else `TRY_LATER`."""
    parser = argparse.ArgumentParser(description="Emit an event to connected clients, by Redis.")
    parser.add_argument("event", help="a name of your own, such as weather")
    parser.add_argument("data", type=as_json, help="what goes with it, as JSON")
    parser.add_argument("--user", help="to her devices; without it and --room, to everybody")
    parser.add_argument("--room", help="to a room: room:ID is a chat's, others are your own")
    parser.add_argument("--namespace", default="/chat")
    parser.add_argument(
        "--redis",
        default=os.environ.get("REDIS_URL", HERE),
        help=f"the server's PARLEY_REDIS_URL; default: REDIS_URL in the environment, else {HERE}",
    )
    options = parser.parse_args()
    room = f"user:{options.user}" if options.user else options.room
    unpublished = Unpublished()
    logger = logging.getLogger("emit_by_redis")
    logger.addHandler(unpublished)
    logger.propagate = False
    backend: Any = socketio.RedisManager(options.redis, write_only=True, logger=logger)
    backend.emit(options.event, options.data, namespace=options.namespace, room=room)
    if len(unpublished.why) > 1:  # it has tried twice
        sys.stderr.write(f"not published: {unpublished.why[-1]}\n")
        return TRY_LATER
    print(f"Published {options.event} to {room or 'everybody'} in {options.namespace}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
