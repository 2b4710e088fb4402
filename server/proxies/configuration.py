"""Configurations of nginx and HAProxy before several nodes, from the templates beside this file.

A session is answered by the node that opened it. Its id, which is in every request, begins with
that node's name and a dot; so no cookie is needed, and no client is known by its address.
"""

import math
import string
from collections.abc import Callable, Mapping, Sequence
from importlib import resources

from parley.server.proxies.nodes import Node
from parley.server.settings import Settings

SPARE_S = 15  # of silence beyond the one after which a connection counts as dead


class _Template(string.Template):
    """Has ``@{name}``: the dollar is nginx's own."""

    delimiter = "@"


def configuration(proxy: str, nodes: Sequence[Node], *, listen: str, settings: Settings) -> str:
    """Return a whole configuration.

    Args:
        proxy: One of `PROXIES`.
        nodes: Those behind it.
        listen: A port, or an address with one.
        settings: Those of the nodes: how long they are silent, how much they take at once.
    """
    template, lines = PROXIES[proxy]
    silence_s = math.ceil((settings.ping_interval_ms + settings.ping_timeout_ms) / 1000)
    words = {
        "nodes": ",".join(f"{node.name}={node.address}" for node in nodes),
        "listen": listen,
        "silence": f"{silence_s + SPARE_S}s",
        "max_payload": str(settings.max_payload),
    }
    text = resources.files(__package__).joinpath(template).read_text(encoding="utf-8")
    return _Template(text).substitute(words, **lines(nodes, listen))


def _nginx(nodes: Sequence[Node], _listen: str) -> Mapping[str, str]:
    routes = [(rf"~^{node.name}\.", node.name) for node in nodes]
    width = max(len(begins) for begins, _ in routes)
    groups = [f"upstream parley_{n.name} {{ server {n.address}; keepalive 64; }}" for n in nodes]
    servers = [f"server {node.address} max_fails=1 fail_timeout=5s;" for node in nodes]
    return {
        "routes": _indented(8, [f"{begins:{width}} parley_{name};" for begins, name in routes]),
        "groups": _indented(4, groups),
        "servers": _indented(8, servers),
    }


def _haproxy(nodes: Sequence[Node], listen: str) -> Mapping[str, str]:
    by_name = any(node.by_name for node in nodes)
    routes = [f"use-server {n.name} if {{ url_param(sid) -m beg {n.name}. }}" for n in nodes]
    return {
        "bind": listen if ":" in listen else f":{listen}",
        "routes": _indented(4, routes),
        "servers": _indented(4, [f"server {node.name} {node.address}" for node in nodes]),
        "retries": str(len(nodes)),
        "lookup": " resolvers system init-addr last,libc,none" if by_name else "",
        "resolvers": _RESOLVERS if by_name else "",
    }


def _indented(spaces: int, lines: Sequence[str]) -> str:
    return ("\n" + " " * spaces).join(lines)


_RESOLVERS = """
# Nodes may come with another address, and later than HAProxy.
resolvers system
    parse-resolv-conf
    hold valid 5s
"""

_Lines = Callable[[Sequence[Node], str], Mapping[str, str]]

PROXIES: Mapping[str, tuple[str, _Lines]] = {
    "nginx": ("nginx.conf", _nginx),
    "haproxy": ("haproxy.cfg", _haproxy),
}
"""By its name: the template of each, and what makes the lines that depend on the nodes."""
