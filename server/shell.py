"""What the commands of ``parley`` share: options, settings, and problems said without a traceback.

Imports are late on purpose, as in `parley.server.cli`.
"""

import errno
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

import click

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


class TryLater(Problem):
    """Nobody could be reached; the same may work later."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class JsonObject(click.ParamType[dict[str, Any]]):
    """An object as JSON."""

    name = "json"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        """See `click.ParamType`."""
        try:
            loaded: Any = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            self.fail(f'{value!r} is not an object such as {{"order": 42}}', param, ctx)
        return cast("dict[str, Any]", loaded)


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


def settings_of(**options: str | None) -> "Settings":
    """Return the settings of the environment, over which ``options`` win.

    Raises:
        Misuse: One of them cannot be used.
    """
    from parley.server.settings import InvalidSettings, Settings  # noqa: PLC0415

    given = {name: text for name, text in options.items() if text is not None}
    try:
        return Settings.from_env({**os.environ, **given})
    except InvalidSettings as error:
        raise Misuse("\n".join(error.problems)) from None


@contextmanager
def explained(settings: "Settings") -> Iterator[None]:
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
