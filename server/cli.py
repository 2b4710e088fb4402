"""The command ``parley``.

Imports are late on purpose: ``parley --version`` does not wait for a web server to load.
"""

import asyncio
import errno
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from parley.server import __version__

if TYPE_CHECKING:
    from parley.server.settings import Settings

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Problem(click.ClickException):
    """Something the operator can put right: said in a line each, without a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print to standard error."""
        for line in self.message.splitlines():
            click.echo(f"parley: {line}", file=file, err=True)


class Misuse(Problem):
    """A setting or an option that cannot be used."""

    exit_code = 2


class Duration(click.ParamType[int]):
    """``90s``, ``30m``, ``12h`` or ``7d``, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See `click.ParamType`."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([1-9][0-9]{0,8})([smhd]?)", value)
        if not match:
            self.fail(f"{value!r} is not a time such as 30m, 12h or 7d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="parley", message="%(prog)s %(version)s")
def main() -> None:
    """Durable chat behind the ordinary Socket.IO protocol.

    Settings are environment variables, PARLEY_PORT and so on; options win over them.
    """


@main.command()
@click.option("--web", help="Folder of the chat page.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", help="Port to listen on, 0 for a free one.  [default: 8080]")
def serve(web: str | None, host: str | None, port: str | None) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    from parley.server.observability.logging import configure  # noqa: PLC0415

    settings = _settings(PARLEY_WEB_ROOT=web, PARLEY_HOST=host, PARLEY_PORT=port)
    configure(settings.log_level, settings.log_format)
    with _explained(settings):
        _run(settings)


@main.command()
@click.option("--user", required=True, help="User id: 1-64 of A-Z a-z 0-9 . _ @ -")
@click.option("--name", help="Display name, kept with the user.")
@click.option("--role", "roles", multiple=True, help="A role; may be repeated.")
@click.option("--ttl", type=Duration(), default="12h", show_default=True, help="How long it lasts.")
def token(user: str, name: str | None, roles: tuple[str, ...], ttl: int) -> None:
    """Print a token for USER, alone, signed with the server's key."""
    from parley.server.auth import TokenMint  # noqa: PLC0415
    from parley.server.keys import SIGNING_KEYS_FILE, KeyRing  # noqa: PLC0415

    settings = _settings()
    key_file = settings.data_dir / SIGNING_KEYS_FILE
    new = not settings.signing_keys and not key_file.exists()
    with _explained(settings):
        keys = KeyRing.load(settings)
    mint = TokenMint(keys, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
    try:
        click.echo(mint.mint(user, name=name, roles=roles, ttl_s=ttl))
    except ValueError as error:
        raise Misuse(str(error)) from None
    if new:
        # A server with another data folder will not take this token.
        click.echo(f"Made a new signing key: {key_file.resolve()}", err=True)


def _settings(**options: str | None) -> "Settings":
    from parley.server.settings import InvalidSettings, Settings  # noqa: PLC0415

    given = {name: text for name, text in options.items() if text is not None}
    try:
        return Settings.from_env({**os.environ, **given})
    except InvalidSettings as error:
        raise Misuse("\n".join(error.problems)) from None


def _run(settings: "Settings") -> None:
    from parley.server.app import serve as serve_until_stopped  # noqa: PLC0415

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve_until_stopped(settings))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:  # it does not exist for every system
        return asyncio.new_event_loop
    return uvloop.new_event_loop


@contextmanager
def _explained(settings: "Settings") -> Iterator[None]:
    """Turn what an operator can put right into a `Problem`; a bug keeps its traceback."""
    from parley.server.keys import KeyFileError  # noqa: PLC0415
    from parley.storage.errors import StorageError  # noqa: PLC0415

    try:
        yield
    except (KeyFileError, StorageError) as error:
        raise Problem(str(error)) from error
    except OSError as error:
        sentence = _sentence(error, settings)
        if sentence is None:
            raise
        raise Problem(sentence) from error


def _sentence(error: OSError, settings: "Settings") -> str | None:
    if error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, socket.gaierror):
        return f"PARLEY_HOST: {settings.host!r} is not an address of this machine"
    known: Mapping[int | None, str] = {
        errno.EADDRINUSE: f"port {settings.port} is taken; choose another with PARLEY_PORT",
        errno.EACCES: f"port {settings.port} is not allowed here; choose another with PARLEY_PORT",
        errno.EADDRNOTAVAIL: f"PARLEY_HOST: {settings.host!r} is not an address of this machine",
    }
    return known.get(error.errno)
