"""What the product asks a MongoDB server, as the driver tells it."""

from collections.abc import Mapping
from typing import Any

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)


class Recorder(CommandListener):
    """Keeps every command."""

    def __init__(self) -> None:
        self.commands: list[Mapping[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        """See `CommandListener`."""
        self.commands.append(event.command)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """See `CommandListener`."""

    def failed(self, event: CommandFailedEvent) -> None:
        """See `CommandListener`."""
