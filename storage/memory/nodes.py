"""The nodes, where there is one."""

from collections.abc import Mapping


class OnlyNode:
    """See `NodeRegistry`."""

    async def join(
        self, server_id: str, *, store_id: str, fingerprint: str, place: str | None
    ) -> None:
        """See `NodeRegistry`."""

    async def renew(self) -> None:
        """See `NodeRegistry`."""

    async def leave(self) -> None:
        """See `NodeRegistry`."""

    async def others(self) -> Mapping[str, int]:
        """See `NodeRegistry`."""
        return {}
