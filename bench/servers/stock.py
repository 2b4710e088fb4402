"""Stock python-socketio, with the event loop and the codec that make it fastest."""

from typing import Any

import orjson
import socketio

from bench.servers.contract import PING_INTERVAL_S, PING_TIMEOUT_S, keep, serve


class FastJSON:
    """orjson, in the shape of the module that python-socketio asks for."""

    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return JSON without spaces."""
        return orjson.dumps(value).decode()


if __name__ == "__main__":
    server: Any = socketio.AsyncServer(
        async_mode="aiohttp",
        json=FastJSON,
        http_compression=False,
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
    )
    keep(server)
    serve(server)
