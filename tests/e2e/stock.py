"""The stock clients over every transport they have: what the end-to-end tests are run with."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from tests.clients import ChatClient

TRANSPORTS: Mapping[str, list[str]] = {
    "websocket": ["websocket"],
    "polling": ["polling"],
    "upgrade": ["polling", "websocket"],
}


@dataclass(frozen=True, slots=True)
class Stock:
    """A stock client with the transports it may use."""

    language: str
    transport: str

    @property
    def transports(self) -> list[str]:
        """Return what the client is told to use."""
        return TRANSPORTS[self.transport]

    @property
    def final(self) -> str:
        """Return what it uses in the end."""
        return self.transports[-1]


class Enter(Protocol):
    """Connects a user with the stock client of the test and waits for her catch-up."""

    def __call__(
        self,
        user_id: str,
        *,
        url: str | None = None,  # where the server is, if not where it says
        since: Mapping[str, str | None] | None = None,
        **options: Any,
    ) -> Awaitable[ChatClient]:
        """Return the client, on the transport it uses in the end."""
        ...


def _param(language: str, transport: str) -> Any:
    marks = [pytest.mark.node] if language == "javascript" else []
    return pytest.param(Stock(language, transport), id=f"{language}-{transport}", marks=marks)


_LANGUAGES = ("javascript", "python")

every_stock_client = pytest.mark.parametrize(
    "stock", [_param(language, transport) for language in _LANGUAGES for transport in TRANSPORTS]
)
"""Runs a test of the fixture ``stock`` with each language over each transport."""

both_languages = pytest.mark.parametrize(
    "stock", [_param(name, "websocket") for name in _LANGUAGES]
)
"""Runs a test with each language over WebSocket, where the transport does not matter."""
