"""What a person reads when the server has started."""

import sys

from parley.server.auth import TokenMint
from parley.server.settings import Settings

_TTL_S = 7 * 24 * 3600
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared, not bound)


def announce(settings: Settings, port: int, mint: TokenMint) -> None:
    """Print where the server is, to standard output; ``port`` is the one it really got.

    With sign-in by name come two tokens, ready to be used by any client.
    """
    lines = [f"Parley listening on {_address(settings.host, port)}"]
    if settings.web_root:
        here = _EVERYWHERE.get(settings.host, settings.host)
        lines.append(f"Chat page: {_address(here, port)}/")
    if settings.dev_login:
        for user_id in ("alice", "bob"):
            token = mint.mint(user_id, name=user_id.capitalize(), ttl_s=_TTL_S)
            lines.append(f"Token of {user_id}: {token}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
