"""The events of ``/presence``, described, and the table of them: `NOTICES`."""

from collections.abc import Mapping
from typing import ClassVar

from parley.namespaces.presence.shapes import (
    RoomNoticeShape,
    StatusShape,
    UserOfflineShape,
    UserOnlineShape,
)
from parley.namespaces.presence.wire import Notice
from parley.namespaces.shapes import (
    ConnectedShape,
    DrainingShape,
    Either,
    RejectedShape,
    RevokedShape,
    Said,
)
from parley.namespaces.wire import SystemCode


class PresenceSystemShape(Either):
    """About the connection and its user, by ``code``."""

    by = "code"
    shapes: ClassVar = {
        SystemCode.CONNECTED: ConnectedShape,
        SystemCode.DRAINING: DrainingShape,
        SystemCode.REVOKED: RevokedShape,
        SystemCode.REJECTED: RejectedShape,
    }


NOTICES: Mapping[str, Said] = {
    Notice.USER_ONLINE: Said(shape=UserOnlineShape, at_most_once=True),
    Notice.USER_OFFLINE: Said(shape=UserOfflineShape, at_most_once=True),
    Notice.STATUS: Said(shape=StatusShape, at_most_once=True),
    Notice.ROOM: Said(shape=RoomNoticeShape, at_most_once=True),
    Notice.SYSTEM: Said(shape=PresenceSystemShape, at_most_once=True),
}
"""Every event of the server, by name."""
