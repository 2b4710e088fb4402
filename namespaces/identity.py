"""Who a connection belongs to, and how the door learns it."""

from dataclasses import dataclass, field
from typing import Protocol

from parley.storage.models import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a verified token says."""

    user_id: UserId  # claim ``sub``
    name: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset[str])
    expires_at: float  # seconds since 1970, claim ``exp``
    token_id: str | None = None  # claim ``jti``


class Authenticator(Protocol):
    """Turns a token into an identity, without waiting for anything."""

    def __call__(self, token: str) -> Identity:
        """Return whose token it is.

        Raises:
            Unauthorized: The token is missing a claim, expired, forged or not a token.
        """
        ...
