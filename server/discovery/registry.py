"""What a registry of nodes promises, and how one is asked over HTTP."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp

_SHOWN = 200  # characters of an answer that says no


class RegistryUnavailable(Exception):
    """The registry did not do what it was asked; says why, and never with a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How others find this node."""

    name: str
    host: str
    port: int

    @property
    def check(self) -> str:
        """Return the address that answers 200 while the node can serve."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/readyz"


class Registry(Protocol):
    """Where others look for nodes. One that is not kept there any more is gone after a while."""

    renewal_s: float  # between two calls of `keep`

    async def keep(self, listing: Listing) -> None:
        """Enter the node, or see that it is still there; enter it again if it is not.

        Raises:
            RegistryUnavailable: It is unknown whether the node is there.
        """
        ...

    async def remove(self, listing: Listing) -> None:
        """Take the node out.

        Raises:
            RegistryUnavailable: It may still be there, and is gone after a while.
        """
        ...


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    expected: Collection[int] = (HTTPStatus.OK,),
) -> tuple[int, bytes]:
    """Return status and body of an answer.

    Args:
        session: Has the address of the registry, the time limit and the secrets.

    Raises:
        RegistryUnavailable: There is no answer, or another one than ``expected``.
    """
    try:
        # A redirect would take the secrets elsewhere.
        async with session.request(method, path, json=body, allow_redirects=False) as response:
            status, text = response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise RegistryUnavailable(str(error) or "no answer in time") from error
    if status not in expected:
        shown = text[:_SHOWN].decode(errors="replace").strip()
        raise RegistryUnavailable(f"{method} {path} was answered {status} {shown}".strip())
    return status, text
