import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]
Parley = Callable[..., Done]
ROOT = Path(__file__).resolve().parents[2]

SHIPPED = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}
IN_COMPOSE = "n1=n1:8080,n2=n2:8080,n3=n3:8080"


@pytest.fixture
def generate(python: Parley) -> Parley:
    def run(proxy: str, *options: str, **settings: str) -> Done:
        return python("-m", "parley.server", "proxy-config", proxy, *options, **settings)

    return run


@pytest.mark.parametrize(("proxy", "name"), SHIPPED.items())
def test_the_shipped_ones_are_those_of_the_generator(
    generate: Parley, proxy: str, name: str
) -> None:
    """After a change: ``parley proxy-config nginx --nodes … >docker/nginx.conf``, and so on."""
    done = generate(proxy, "--nodes", IN_COMPOSE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (ROOT / "docker" / name).read_text()


@pytest.mark.parametrize("proxy", SHIPPED)
def test_the_limits_are_those_of_the_nodes(generate: Parley, proxy: str) -> None:
    nodes = ("--nodes", "n1=10.0.0.1:8080,n10=[::1]:8080", "--listen", "10.0.0.9:80")
    said = generate(
        proxy,
        *nodes,
        PARLEY_PING_INTERVAL_MS="60000",
        PARLEY_PING_TIMEOUT_MS="30500",
        PARLEY_MAX_PAYLOAD="123456",
    ).stdout
    assert " 106s" in said  # 60 + 31, and something to spare
    assert "10.0.0.9:80" in said
    assert "[::1]:8080" in said
    assert ("123456" in said) is (proxy == "nginx")
    assert "resolvers" not in said  # there is nothing to look up
    assert "@" not in said


PROBLEMS: Mapping[str, tuple[str, list[str]]] = {
    "nothing": (" ", ["must be nodes such as"]),
    "no address": ("n1", ["'n1': must be an address with a port"]),
    "no port": ("n1=10.0.0.1", ["must be an address with a port"]),
    "a port that is none": ("n1=10.0.0.1:99999", ["must be an address with a port"]),
    "port 0": ("n1=10.0.0.1:0", ["must be an address with a port"]),
    "a name that is none": ("N-1=10.0.0.1:80", ["1 to 16 of a-z 0-9, not 'N-1'"]),
    "more than a host": ("n1=a;daemon on:80", ["must be an address with a port"]),
    "no IPv6": ("n1=[g::1]:80", ["must be an address with a port"]),
    "twice": ("n1=a:80,n1=a:80", ["the name n1 is there twice", "the address a:80 is there twice"]),
    "all of it": ("=a:80,n2=b", ["'=a:80': must be 1 to 16", "'n2=b': must be an address"]),
}


@pytest.mark.parametrize("proxy", SHIPPED)
@pytest.mark.parametrize(("nodes", "told"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_with_the_nodes_is_said(
    generate: Parley, proxy: str, nodes: str, told: list[str]
) -> None:
    done = generate(proxy, "--nodes", nodes)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == len(told)
    assert all(line.startswith("parley: --nodes: ") for line in lines)
    assert all(words in line for words, line in zip(told, lines, strict=True))


@pytest.mark.parametrize("listen", ["x", "0", "70000", "::80", "10.0.0.1"])
def test_where_to_listen_is_checked(generate: Parley, listen: str) -> None:
    done = generate("nginx", "--nodes", "n1=a:80", "--listen", listen)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("parley: --listen: ")
