"""How the text of each setting is read; `ValueError` says what is wrong with it."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from marshmallow import ValidationError

from parley.namespaces.checks import WebAddress
from parley.server.keys import SigningKey, parse_keys
from parley.storage.redis.address import Address as RedisAddress

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ANY_ORIGIN = "*"
MIN_SECRET = 32  # characters
MAX_PORT = 65_535

_ORIGIN = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/\s?#@,*]+\Z")
_MONGODB_URL = re.compile(r"\Amongodb(\+srv)?://[^/?]+")
_DATABASE = re.compile(r"\A[A-Za-z0-9_-]{1,63}\Z")
_REDIS_URL = re.compile(r"\A(rediss?(\+sentinel|\+cluster)?://[^/?]+|unix:///)")
_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
_CONSUL_URL = re.compile(rf"\Aconsul://{_HOST}(/[A-Za-z0-9-]{{0,63}})?(\?token=[^&#+%\s]+)?\Z")
_ETCD_URL = re.compile(rf"\Aetcd://{_HOST}(/[A-Za-z0-9._/-]{{0,200}})?\Z")
_ADDRESS = re.compile(rf"\A{_HOST}\Z")
_NODE = re.compile(r"\A[a-z0-9]{1,16}\Z")


def whole(low: int, high: int, unit: str = "") -> Callable[[str], int]:
    """Return what reads a whole number in a range."""
    meaning = f"a whole number from {low} to {high}" + (f" ({unit})" if unit else "")

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be {meaning}, not {text!r}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Return what reads one of some words, in upper or lower case."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return text.lower()

    return parse


def web_address(text: str) -> str:
    """Read an http(s) address."""
    try:
        address = str(WebAddress(2_048)(text))
        urlsplit(address).port  # noqa: B018 (raises where it is none)
    except (ValidationError, ValueError):
        raise ValueError(f"must be an http(s) address, not {text!r}") from None
    return address


def secret(text: str) -> str:
    """Read a secret that is long enough."""
    if len(text) < MIN_SECRET:
        raise ValueError(f"must have at least {MIN_SECRET} characters")  # and is not shown
    return text


def switch(text: str) -> bool:
    """Read 1 or 0, or words for them."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"must be 1 or 0, not {text!r}")


def folder(text: str) -> Path:
    """Read a folder that exists or can be made."""
    path = Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ValueError(f"must be a folder, and {text!r} is not one")
    return path


def existing_folder(text: str) -> Path:
    """Read a folder that exists."""
    path = folder(text)
    if not path.exists():
        raise ValueError(f"there is no folder {text!r}")
    return path


def mongodb_url(text: str) -> str:
    """Read the address of a MongoDB."""
    if not _MONGODB_URL.match(text):
        # Not the text: there may be a password in it.
        raise ValueError("must be a URL such as mongodb://db1,db2,db3/?replicaSet=rs0")
    return text


def redis_url(text: str) -> str:
    """Read the address of a Redis, of some Sentinels or of a cluster."""
    if not _REDIS_URL.match(text):
        # Not the text: there may be a password in it.
        raise ValueError(
            "must be a URL such as redis://host:6379/0, redis+sentinel://host1,host2/name "
            "or redis+cluster://host1,host2"
        )
    RedisAddress.parse(text)
    return text


def discovery_url(text: str) -> str:
    """Return the address of an agent of Consul or of an etcd."""
    found = _CONSUL_URL.match(text) or _ETCD_URL.match(text)
    if not found or not _is_port(found["port"]):
        # Not the text: there may be a token in it.
        raise ValueError(
            "must be consul://host:8500, with /service and ?token=... if there are any, "
            "or etcd://host:2379, with /prefix if there is one"
        )
    return text


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody can be reached."""

    host: str
    port: int | None  # None: the port that the server listens on


def address(text: str) -> Address:
    """Return a host, with a port or without."""
    found = _ADDRESS.match(text)
    if not found or not _is_port(found["port"]):
        raise ValueError(f"must be an address such as 10.0.0.5 or n1.internal:8080, not {text!r}")
    return Address(found["host"].strip("[]"), int(found["port"]) if found["port"] else None)


def _is_port(text: str | None) -> bool:
    return text is None or 0 < int(text) <= MAX_PORT


def node(text: str) -> str:
    """Read the name of a node: part of a session id, up to a dot."""
    if not _NODE.match(text):
        raise ValueError(f"must be 1 to 16 of a-z 0-9, not {text!r}")
    return text


def database_name(text: str) -> str:
    """Read the name of a database in MongoDB."""
    if not _DATABASE.match(text):
        raise ValueError(f"must be 1 to 63 of A-Z a-z 0-9 _ -, not {text!r}")
    return text


def origins(text: str) -> frozenset[str]:
    """Read origins, as browsers write them."""
    entries = [entry.strip().lower().rstrip("/") for entry in text.split(",")]
    wrong = [repr(e) for e in entries if e and e != ANY_ORIGIN and not _ORIGIN.match(e)]
    if wrong:
        raise ValueError(
            "must be * or origins such as https://chat.example.org, "
            f"separated by commas, not {', '.join(wrong)}"
        )
    return frozenset(_without_default_port(entry) for entry in entries if entry)


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks."""
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    try:
        return tuple(ipaddress.ip_network(entry) for entry in entries)
    except ValueError as error:
        raise ValueError(
            f"must be addresses or networks such as 10.0.0.0/8, separated by commas: {error}"
        ) from None


def _without_default_port(origin: str) -> str:
    """Return the origin as a browser writes it."""
    return re.sub(r"\A(http://[^/]*):80\Z|\A(https://[^/]*):443\Z", r"\1\2", origin)


def signing_keys(text: str) -> tuple[SigningKey, ...]:
    """Read the keys of a ring, the first of which signs."""
    return parse_keys(entry for entry in text.split(",") if entry.strip())
