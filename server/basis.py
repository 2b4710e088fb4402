"""What every domain of a node is made of."""

import secrets
from dataclasses import dataclass
from typing import Self

from parley.namespaces.seal import Seal
from parley.server import http
from parley.server.auth import TokenAuthenticator
from parley.server.cluster.calls import NodeCalls
from parley.server.cluster.manager import ClusterManager
from parley.server.engine.doors import SocketServer
from parley.server.engine.transport import NamespaceTransport
from parley.server.keys import KeyRing, RootSecret
from parley.server.settings import Settings
from parley.server.shared import Shared
from parley.server.stores import Stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The name of a node, what it keeps things in, and how it talks."""

    settings: Settings
    server_id: str
    sockets: SocketServer
    shared: Shared
    stores: Stores
    authenticate: TokenAuthenticator
    digest_key: bytes
    calls: NodeCalls
    seal: Seal | None  # of what is told of rooms; None: there is no other node

    def transport(self, namespace: str) -> NamespaceTransport:
        """Return the way to the clients of a namespace."""
        return NamespaceTransport(self.sockets, namespace)

    @classmethod
    def of(
        cls,
        settings: Settings,
        keys: KeyRing,
        secret: RootSecret,
        shared: Shared,
        stores: Stores,
    ) -> Self:
        """Name the node, and make what it talks with."""
        name = settings.node or secrets.token_hex(4)
        # Another one at each start, or a node would renew what its predecessor left behind.
        server_id = f"{name}-{secrets.token_hex(4)}"
        # Another form of what is sealed has another number: nodes of two releases pass over what
        # the other one asks, and read from storage what it tells (below).
        calls = NodeCalls(
            server_id=server_id,
            nodes=shared.nodes,
            bus=shared.bus,
            seal=Seal(secret.derive("calls 1")),
        )
        return cls(
            settings=settings,
            server_id=server_id,
            sockets=_socket_server(settings, name),
            shared=shared,
            stores=stores,
            authenticate=TokenAuthenticator(
                keys, audience=settings.jwt_audience, issuer=settings.jwt_issuer
            ),
            digest_key=secret.derive("request digest"),
            calls=calls,
            seal=Seal(secret.derive("announcements 2")) if settings.redis_url else None,
        )


def _socket_server(settings: Settings, node: str) -> SocketServer:
    url = settings.redis_url
    return SocketServer(
        node=node,
        client_manager=None if url is None else ClusterManager(url),
        cors_allowed_origins=[],  # server.http checks origins and answers for them
        max_http_buffer_size=settings.max_payload,
        ping_interval=settings.ping_interval_ms / 1000,
        ping_timeout=settings.ping_timeout_ms / 1000,
        queue_bytes=settings.queue_bytes,
        write_timeout=settings.write_timeout_ms / 1000,
        connect_timeout=settings.connect_timeout_ms / 1000,
        peer=http.Peers(settings.trusted_proxies),
        compression=settings.compression,
    )
