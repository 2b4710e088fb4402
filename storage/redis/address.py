"""Where Redis is: what the URL of the settings says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

Kind = Literal["single", "sentinel", "cluster"]

KINDS: dict[str, Kind] = {"sentinel": "sentinel", "cluster": "cluster"}
PORTS = {"sentinel": 26379, "cluster": 6379}

_NO_NUMBER = "the number of the database in the URL of Redis is none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The parts of a URL; `single` leaves them to redis-py, which reads such URLs itself."""

    url: str
    kind: Kind
    tls: bool = False
    hosts: Sequence[tuple[str, int]] = ()
    username: str | None = None
    password: str | None = None
    master: str = ""  # its name at the Sentinels
    db: int = 0
    sentinel_username: str | None = None
    sentinel_password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read a URL, such as ``redis+sentinel://user:password@a,b:26380/master_name/0``.

        Raises:
            ValueError: It is none; the message does not show what may be a password.
        """
        parts = urlsplit(url)
        if parts.scheme in ("redis", "rediss", "unix"):
            number = parts.path.strip("/") or "0"
            if parts.scheme != "unix" and not number.isdecimal():
                raise ValueError(_NO_NUMBER)
            _try(url)
            return cls(url=url, kind="single")
        scheme, _, suffix = parts.scheme.partition("+")
        kind = KINDS.get(suffix)
        if kind is None or scheme not in ("redis", "rediss"):
            raise ValueError("the URL of Redis has a scheme that is not known")
        credentials, _, hosts = parts.netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        master, _, db = parts.path.strip("/").partition("/")
        if kind == "sentinel" and not master:
            raise ValueError("the URL of Redis has no name of a master: redis+sentinel://host/name")
        if kind == "cluster" and (master or db):
            raise ValueError("a Redis Cluster has no numbered databases: redis+cluster://host")
        if db and not db.isdecimal():
            raise ValueError(_NO_NUMBER)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return cls(
            url=url,
            kind=kind,
            tls=scheme == "rediss",
            hosts=[_host(text, PORTS[kind]) for text in hosts.split(",")],
            username=unquote(username) or None,
            password=unquote(password) or None,
            master=unquote(master),
            db=int(db or 0),
            sentinel_username=query.get("sentinel_username"),
            sentinel_password=query.get("sentinel_password"),
        )


def _host(text: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text.strip()}")
        if parts.hostname:
            return parts.hostname, parts.port or port
    except ValueError:
        pass
    raise ValueError("a host in the URL of Redis is none: host1,host2:6380,[::1]:6380")


def _try(url: str) -> None:
    """Let redis-py read a URL that is left to it; it would fail at the first use only."""
    from redis import RedisError  # noqa: PLC0415 (slow, and commands read settings too)
    from redis.asyncio import ConnectionPool  # noqa: PLC0415

    try:
        pool: Any = ConnectionPool.from_url(url)
        pool.make_connection()  # which connects nothing
    except (RedisError, TypeError, ValueError):
        raise ValueError("the URL of Redis has a port or an option that is none") from None
