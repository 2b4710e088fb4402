"""Everything an operator can set, read from the environment once."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from parley.namespaces.chat.settings import RETENTION_DAYS
from parley.server import setting_values as values
from parley.server.keys import SigningKey
from parley.server.setting_values import Address, Network

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]

_BARE = ("REDIS_URL", "MONGODB_URL")  # known without the prefix, too


class InvalidSettings(Exception):
    """Settings that cannot be used; one line for each problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server runs with; ``data_dir`` comes from ``PARLEY_DATA_DIR``, and so on."""

    host: str = "127.0.0.1"  # address to listen on
    port: int = 8080  # 0 picks a free one
    data_dir: Path = Path("data")  # database and keys; one process at a time
    mongodb_url: str | None = field(default=None, repr=False)  # None: SQLite in data_dir
    mongodb_database: str = "parley"  # its name there
    redis_url: str | None = field(default=None, repr=False)  # None: no other node
    node: str | None = None  # how proxies know this node; None: a random name at each start
    cluster_key: str | None = field(default=None, repr=False)  # of all nodes; else from data_dir
    discovery_url: str | None = field(default=None, repr=False)  # of Consul or etcd; None: neither
    advertise: Address | None = None  # where others reach this node; None: host and port
    web_root: Path | None = None  # folder of the chat page; None: a plain page
    dev_login: bool = False  # anyone signs in by name; on loopback only
    origins: frozenset[str] = frozenset()  # beside the page's own; "*" is any
    trusted_proxies: tuple[Network, ...] = ()  # whose X-Forwarded-For is believed
    signing_keys: tuple[SigningKey, ...] = field(default=(), repr=False)  # else from data_dir
    jwt_audience: str | None = None  # a token must have it in ``aud``; None: not checked
    jwt_issuer: str | None = None  # a token must have it as ``iss``; None: not checked
    retention_days: int | None = None  # since a message's last change; None: kept for ever
    presence_grace_ms: int = 10_000  # after the last device has left, until one is offline
    push_url: str | None = None  # of the webhook; None: nothing is pushed
    push_secret: str | None = field(default=None, repr=False)  # signs what is sent there
    push_private: bool = False  # may the receiver have an address that is not public?
    push_after_ms: int = 3_000  # without a live device, until a notification is pushed
    push_outbox: int = 100_000  # pushes that may wait; beyond, they are dropped
    max_payload: int = 1_000_000  # bytes of one frame or polling request
    ping_interval_ms: int = 15_000  # between heartbeats
    ping_timeout_ms: int = 10_000  # for the answer, until the connection counts as dead
    queue_bytes: int = 1_048_576  # that wait for one client; beyond, it is told to catch up
    write_timeout_ms: int = 15_000  # that a client reads nothing, until it is disconnected
    connect_timeout_ms: int = 10_000  # without a namespace, until a connection is closed
    max_connections: int | None = None  # None: the limit of open files; new ones end at 90 %
    max_lag_ms: int = 250  # of the event loop; beyond, nobody new is let in
    drain_ms: int = 0  # from SIGTERM on, in which balancers see it before connections end
    compression: bool = False  # of WebSockets, where clients offer it: less traffic, more CPU
    log_level: LogLevel = "info"
    log_format: LogFormat | None = None  # None: text on a terminal, otherwise json

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Read ``PARLEY_*``; a variable that is set to nothing counts as not set.

        Raises:
            InvalidSettings: Names every problem, not only the first.
        """
        given = {name: text.strip() for name, text in env.items() if text.strip()}
        values: dict[str, Any] = {}
        problems = _unknown(given) + _prefixed(given)
        for name, parse in _PARSERS.items():
            variable = variable_of(name)
            if variable not in given:
                continue
            try:
                values[name] = parse(given[variable])
            except ValueError as error:
                problems.append(f"{variable}: {error}")
        settings = cls(**values)
        wrong = {problem.partition(":")[0] for problem in problems}
        # What is set, though wrongly, is not missing as well.
        problems += [p for p in _contradictions(settings) if p.partition(":")[0] not in wrong]
        if problems:
            raise InvalidSettings(problems)
        return settings


def variable_of(name: str) -> str:
    """Return the environment variable of a field."""
    return f"PARLEY_{name.upper()}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches ``host``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Return whether a literal address is not one of the public internet; False for a name."""
    if host.lower() == "localhost":
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _unknown(given: Mapping[str, str]) -> list[str]:
    known = [field.name.upper() for field in fields(Settings)]
    problems: list[str] = []
    for variable in sorted(given):
        name = variable.removeprefix("PARLEY_")
        if name != variable and name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean PARLEY_{near[0]}?" if near else ""
            problems.append(f"{variable}: there is no such setting{hint}")
    return problems


def _prefixed(given: dict[str, str]) -> list[str]:
    """Give what is known without the prefix its full name; return what is wrong with that."""
    problems: list[str] = []
    for bare in _BARE:
        text = given.get(bare)
        if text is not None and given.setdefault(f"PARLEY_{bare}", text) != text:
            problems.append(f"{bare}: PARLEY_{bare} says something else; set one of them")
    return problems


def _contradictions(settings: Settings) -> list[str]:
    return [
        *_about_dev_login(settings),
        *_about_push(settings),
        *_about_cluster(settings),
        *_about_discovery(settings),
    ]


def _about_cluster(settings: Settings) -> list[str]:
    shared = settings.redis_url is not None and settings.mongodb_url is not None
    if shared and settings.cluster_key is None:
        problem = "is needed with REDIS_URL and MONGODB_URL, the same secret on every node"
        return [f"PARLEY_CLUSTER_KEY: {problem}"]
    return []


def _about_discovery(settings: Settings) -> list[str]:
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
    if settings.discovery_url is not None and settings.advertise is None and everywhere:
        problem = (
            "PARLEY_ADVERTISE: is needed with PARLEY_DISCOVERY_URL, for PARLEY_HOST is "
            f"{settings.host}: say where others reach this node, such as 10.0.0.5"
        )
        return [problem]
    return []


def _about_push(settings: Settings) -> list[str]:
    if settings.push_url is None:
        return []
    problems: list[str] = []
    if settings.push_secret is None:
        problems.append("PARLEY_PUSH_SECRET: is needed, for PARLEY_PUSH_URL is set")
    if not settings.push_private and is_private(urlsplit(settings.push_url).hostname or ""):
        problems.append(
            "PARLEY_PUSH_URL: is not on a public address; PARLEY_PUSH_PRIVATE=1 allows that"
        )
    return problems


def _about_dev_login(settings: Settings) -> list[str]:
    if settings.dev_login and not is_loopback(settings.host):
        problem = (
            "PARLEY_DEV_LOGIN: lets anyone in under any name, so PARLEY_HOST must be "
            f"a loopback address such as 127.0.0.1, not {settings.host!r}"
        )
        return [problem]
    return []


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "host": str,
    "port": values.whole(0, 65_535),
    "data_dir": values.folder,
    "mongodb_url": values.mongodb_url,
    "mongodb_database": values.database_name,
    "redis_url": values.redis_url,
    "node": values.node,
    "cluster_key": values.secret,
    "discovery_url": values.discovery_url,
    "advertise": values.address,
    "web_root": values.existing_folder,
    "dev_login": values.switch,
    "origins": values.origins,
    "trusted_proxies": values.networks,
    "signing_keys": values.signing_keys,
    "jwt_audience": str,
    "jwt_issuer": str,
    "retention_days": values.whole(*RETENTION_DAYS, "days"),
    "presence_grace_ms": values.whole(0, 3_600_000, "milliseconds"),
    "push_url": values.web_address,
    "push_secret": values.secret,
    "push_private": values.switch,
    "push_after_ms": values.whole(0, 3_600_000, "milliseconds"),
    "push_outbox": values.whole(1, 10_000_000, "pushes"),
    "max_payload": values.whole(1_000, 100_000_000, "bytes"),
    "ping_interval_ms": values.whole(100, 3_600_000, "milliseconds"),
    "ping_timeout_ms": values.whole(100, 3_600_000, "milliseconds"),
    "queue_bytes": values.whole(65_536, 1_073_741_824, "bytes"),
    "write_timeout_ms": values.whole(100, 3_600_000, "milliseconds"),
    "connect_timeout_ms": values.whole(100, 3_600_000, "milliseconds"),
    "max_connections": values.whole(1, 10_000_000, "connections"),
    "max_lag_ms": values.whole(10, 60_000, "milliseconds"),
    "drain_ms": values.whole(0, 4_000, "milliseconds"),
    "compression": values.switch,
    "log_level": values.one_of("debug", "info", "warning", "error"),
    "log_format": values.one_of("text", "json"),
}
