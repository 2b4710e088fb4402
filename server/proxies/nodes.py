"""The nodes of a cluster as its proxy is told of them: ``n1=10.0.0.1:8080,n2=10.0.0.2:8080``."""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parley.server import setting_values as values

_ADDRESS = re.compile(r"\A(?P<host>\[[^]]+\]|[^:]+):(?P<port>.+)\Z")
_NAME = re.compile(r"\A[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")


class InvalidNodes(Exception):
    """Nodes that no proxy can be given; one line for each problem."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node: its ``PARLEY_NODE``, and where the proxy reaches it."""

    name: str
    address: str

    @property
    def by_name(self) -> bool:
        """Whether its address has to be looked up."""
        host, _, _ = self.address.rpartition(":")
        try:
            ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return True
        return False


def parse_nodes(text: str) -> Sequence[Node]:
    """Read what ``--nodes`` says.

    Raises:
        InvalidNodes: Names every problem, not only the first.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    problems = [] if entries else ["must be nodes such as n1=10.0.0.1:8080,n2=10.0.0.2:8080"]
    nodes: list[Node] = []
    for entry in entries:
        name, _, address = entry.partition("=")
        try:
            nodes.append(Node(values.node(name), parse_address(address)))
        except ValueError as error:
            problems.append(f"{entry!r}: {error}")
    problems += _twice("the name", (node.name for node in nodes))
    problems += _twice("the address", (node.address for node in nodes))
    if problems:
        raise InvalidNodes("\n".join(problems))
    return nodes


def parse_address(text: str) -> str:
    """Check a host with its port; `ValueError` says what is wrong with it."""
    parts = _ADDRESS.match(text)
    if parts is None or not _is_host(parts["host"]) or not _is_port(parts["port"]):
        raise ValueError(f"must be an address with a port, such as 10.0.0.1:8080, not {text!r}")
    return text


def parse_listen(text: str) -> str:
    """Check where a proxy is to listen: a port, perhaps with an address before it."""
    return text if _is_port(text) else parse_address(text)


def _is_port(text: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", text) is not None and 1 <= int(text) <= values.MAX_PORT


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return _NAME.match(text) is not None
    try:
        ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        return False
    return "%" not in text


def _twice(what: str, values: Iterator[str]) -> list[str]:
    return [f"{what} {value} is there twice" for value, n in Counter(values).items() if n > 1]
