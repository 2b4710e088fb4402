"""Parley's engine, without Parley's chat: ``python -m bench.servers.ours PORT [redis://…]``.

Not called ``parley.py``: that module would hide the package.
"""

import sys

from bench.servers.contract import PING_INTERVAL_S, PING_TIMEOUT_S, keep, serve
from parley.server.cluster.manager import ClusterManager
from parley.server.engine.server import Server

if __name__ == "__main__":
    manager = ClusterManager(sys.argv[2]) if len(sys.argv) > 2 else None  # noqa: PLR2004
    server = Server(
        manager,
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        cors_allowed_origins=[],
    )
    keep(server)
    serve(server, manager.running() if manager is not None else None)
