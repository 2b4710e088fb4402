"""The command ``parley``.

Imports are late on purpose: ``parley --version`` does not wait for a web server to load.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from parley.server import __version__
from parley.server.emitting import emit
from parley.server.shell import Duration, Misuse, explained, settings_of

if TYPE_CHECKING:
    from parley.server.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="parley", message="%(prog)s %(version)s")
def main() -> None:
    """Durable chat and notifications behind the ordinary Socket.IO protocol.

    Settings are environment variables, PARLEY_PORT and so on; options win over them.
    """


main.add_command(emit)


@main.command()
@click.option("--web", help="Folder of the chat page.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", help="Port to listen on, 0 for a free one.  [default: 8080]")
def serve(web: str | None, host: str | None, port: str | None) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    from parley.server.observability.logging import configure  # noqa: PLC0415

    settings = settings_of(PARLEY_WEB_ROOT=web, PARLEY_HOST=host, PARLEY_PORT=port)
    configure(settings.log_level, settings.log_format)
    with explained(settings):
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

    settings = settings_of()
    key_file = settings.data_dir / SIGNING_KEYS_FILE
    given = settings.signing_keys or settings.cluster_key
    new = not given and not key_file.exists()
    with explained(settings):
        keys = KeyRing.load(settings)
    mint = TokenMint(keys, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
    try:
        click.echo(mint.mint(user, name=name, roles=roles, ttl_s=ttl))
    except ValueError as error:
        raise Misuse(str(error)) from None
    if new:
        # A server with another data folder will not take this token.
        click.echo(f"Made a new signing key: {key_file.resolve()}", err=True)


@main.command("proxy-config")
@click.argument("proxy", type=click.Choice(["nginx", "haproxy"]))
@click.option("--nodes", required=True, help="n1=10.0.0.1:8080,n2=10.0.0.2:8080 and so on.")
@click.option("--listen", default="8080", show_default=True, help="Port, or address and port.")
def proxy_config(proxy: str, nodes: str, listen: str) -> None:
    """Print a configuration of PROXY for several nodes.

    Run it with the nodes' PARLEY_MAX_PAYLOAD, PARLEY_PING_INTERVAL_MS and PARLEY_PING_TIMEOUT_MS,
    where these are set.
    """
    from parley.server.proxies.configuration import configuration  # noqa: PLC0415
    from parley.server.proxies.nodes import InvalidNodes, parse_listen, parse_nodes  # noqa: PLC0415

    settings = settings_of()
    try:
        known = parse_nodes(nodes)
    except InvalidNodes as error:
        raise Misuse("\n".join(f"--nodes: {line}" for line in str(error).splitlines())) from None
    try:
        where = parse_listen(listen)
    except ValueError as error:
        raise Misuse(f"--listen: {error}") from None
    click.echo(configuration(proxy, known, listen=where, settings=settings), nl=False)


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
