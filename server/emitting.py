"""The commands ``parley emit …``.

Imports are late on purpose, as in `parley.server.cli`.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from parley.server.shell import (
    Duration,
    JsonObject,
    Misuse,
    Problem,
    TryLater,
    explained,
    settings_of,
)

if TYPE_CHECKING:
    from parley.server.emit import Emitter
    from parley.server.settings import Settings


@click.group()
def emit() -> None:
    """Send a notification or an announcement to users of a running server.

    With the token in TOKEN or --token, which needs the role admin; without one, in the server's own
    folder, with its key.
    """


def _speaks(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which server is spoken to, and as whom."""
    url = click.option("--url", help="The server.  [default: this machine, at PARLEY_PORT]")
    token = click.option("--token", envvar="TOKEN", help="A token with the role admin.")
    return url(token(command))


@emit.command("notification")
@click.option("--to", "users", multiple=True, help="A user; may be repeated.")
@click.option("--room", help="The id of a room: everybody in it.")
@click.option("--all", "everyone", is_flag=True, help="Everybody who has been seen.")
@click.option("--title", required=True, help="What it is called.")
@click.option("--body", required=True, help="What it says.")
@click.option("--icon", help="Address of a picture.")
@click.option("--action", help="What a tap does, in your application's words.")
@click.option("--data", type=JsonObject(), help="An object of your application's, as JSON.")
@click.option("--dedupe-key", help="Whoever has one with this key gets no other.")
@click.option("--collapse-key", help="It takes the place of one with the same key.")
@click.option("--expires-in", type=Duration(), help="When it ends by itself: 30m, 12h, 7d.")
@click.option("--key", help="What makes a repetition a repetition: 8 to 64 characters.")
@_speaks
def emit_notification(
    url: str | None,
    token: str | None,
    users: tuple[str, ...],
    room: str | None,
    everyone: bool,
    expires_in: int | None,
    key: str | None,
    **said: Any,
) -> None:
    """Put a notification into the inboxes of users, of a room, or of everybody."""
    from parley.server.emit import moment_in  # noqa: PLC0415

    audience = {"user_ids": list(users), "room_id": room, "all": everyone or None}
    whom = {name: value for name, value in audience.items() if value}
    if len(whom) != 1:
        raise Misuse("whom is it for? Give one of --to, --room and --all")
    expires = {} if expires_in is None else {"expires_at": moment_in(expires_in)}
    notification = {n: v for n, v in said.items() if v is not None} | whom | expires
    key = key or secrets.token_hex(12)
    with _answered(f"Run it again with --key {key}; nobody is told twice."):
        told: dict[str, Any] = {}
        for told in _emitter(url, token).publish(notification, key):
            if not told["finished"]:
                click.echo(f"{told['done']} of {told['total']} users", err=True)
        click.echo(f"Stored for {told['stored']} of {told['done']} users")


@emit.command("announcement")
@click.argument("text")
@click.option("--room", help="The id of a room: who is live in it.")
@_speaks
def emit_announcement(url: str | None, token: str | None, text: str, room: str | None) -> None:
    """Tell TEXT to everybody who is connected now; nothing is kept."""
    with _answered("Perhaps it was heard.", not_there="Nobody heard it."):
        sockets = _emitter(url, token).announce({"text": text}, room)
        click.echo(f"Told to {sockets} connections")


def _emitter(url: str | None, token: str | None) -> "Emitter":
    from parley.server.emit import Emitter  # noqa: PLC0415

    settings = settings_of()
    url = url or f"http://127.0.0.1:{settings.port}"
    if not re.match(r"https?://[^/]", url):
        raise Misuse(f"--url: {url!r} is not an http(s) address")
    return Emitter(url, token or _own_token(settings))


def _own_token(settings: "Settings") -> str:
    """Return a token signed with the server's own key, for whoever may read that."""
    from parley.server.auth import TokenMint  # noqa: PLC0415
    from parley.server.keys import SIGNING_KEYS_FILE, KeyRing  # noqa: PLC0415

    key_file = settings.data_dir / SIGNING_KEYS_FILE
    given = settings.signing_keys or settings.cluster_key
    if not given and not key_file.exists():
        raise Misuse(
            f"no token, and no key of a server at {key_file}: set TOKEN or give --token, or run "
            "this where the server runs"
        )
    with explained(settings):
        keys = KeyRing.load(settings)
    mint = TokenMint(keys, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
    return mint.mint("parley-emit", roles=["admin"], ttl_s=600)


@contextmanager
def _answered(advice: str, not_there: str | None = None) -> Iterator[None]:
    """Turn what a server answers, or does not, into a `Problem`."""
    from parley.server.emit import NoAnswer, NotThere, Refused  # noqa: PLC0415

    try:
        yield
    except Refused as error:
        raise Problem(str(error)) from None
    except NotThere as error:
        raise TryLater(f"{error}\n{not_there or advice}") from None
    except NoAnswer as error:
        raise TryLater(f"{error}\n{advice}") from None
