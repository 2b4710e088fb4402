"""Parley's engine, without Parley's chat: ``python -m bench.servers.ours PORT``.

Not called ``parley.py``: that module would hide the package.
"""

from bench.servers.contract import PING_INTERVAL_S, PING_TIMEOUT_S, keep, serve
from parley.server.engine.server import Server

if __name__ == "__main__":
    server = Server(
        ping_interval=PING_INTERVAL_S, ping_timeout=PING_TIMEOUT_S, cors_allowed_origins=[]
    )
    keep(server)
    serve(server)
