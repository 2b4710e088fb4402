"""What is in docker/ fits together, and fits the code. No container is started."""

import asyncio
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import yaml

from parley.server.settings import Settings
from tests.servers import ServerProcess

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
COMPOSE: Any = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: Mapping[str, Any] = COMPOSE["services"]
NODES = {name: service for name, service in SERVICES.items() if service["image"] == "parley"}
SECRET = "s" * 48

_VARIABLE = re.compile(r"\$\{(\w+)(:[-?][^}]*)?\}")


def test_each_node_starts_with_the_settings_it_is_given() -> None:
    named: dict[str, str] = {}
    for name, service in NODES.items():
        given = {key: _filled(value) for key, value in service["environment"].items()}
        settings = Settings.from_env(given)
        assert settings.node == name
        assert settings.redis_url is not None
        assert settings.mongodb_url is not None
        [proxy] = settings.trusted_proxies
        assert str(proxy) == f"{_address('proxy')}/32"
        named[name] = str(settings)
    assert set(named) == {"n1", "n2", "n3"}
    # They are one cluster, and differ in nothing but the name.
    assert len({text.replace(f"'{name}'", "") for name, text in named.items()}) == 1


def test_the_image_knows_its_settings(tmp_path: Path) -> None:
    env = dict(line.split("=", 1) for line in _words("ENV"))
    own = {name: text for name, text in env.items() if name.startswith("PARLEY_")}
    assert own.keys() == {"PARLEY_DATA_DIR", "PARLEY_WEB_ROOT"}
    settings = Settings.from_env({**own, "PARLEY_WEB_ROOT": str(tmp_path)})
    assert [str(settings.data_dir)] == _words("VOLUME")
    assert _words("EXPOSE") == [str(settings.port)]


def test_the_image_has_a_python_that_will_do() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    oldest = config["options"]["python_requires"].removeprefix(">=")
    images = [words[0] for words in _instructions("FROM") if words[0].startswith("python:")]
    assert len(set(images)) == 1  # wheels for one version are of no use to another
    [version] = re.findall(r"python:(\d+\.\d+)-", images[0])
    assert _numbers(version) >= _numbers(oldest)
    assert f"Programming Language :: Python :: {version}" in config["metadata"]["classifiers"]


def test_what_is_copied_exists_and_gets_past_dockerignore() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    admitted = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copied: set[str] = set()
    for words in _instructions("COPY"):
        if not words[0].startswith("--from="):
            copied.update(words[:-1])
    for path in copied:
        assert (ROOT / path).exists(), path
        assert any(Path(path).is_relative_to(name) for name in admitted), path
    for name in admitted:
        assert any(Path(path).is_relative_to(name) for path in copied), name
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    tops = {line.split("=")[1].strip() for line in _lines(config["options"]["package_dir"])}
    assert tops <= copied


def test_only_the_proxy_can_be_reached_and_it_knows_the_nodes() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    proxy = SERVICES["proxy"]
    assert proxy["extra_hosts"] == {name: _address(name) for name in NODES}
    assert proxy["depends_on"].keys() == NODES.keys()
    for name in ("redis", "mongodb"):
        assert SERVICES[name]["networks"] == ["back"]
    assert COMPOSE["networks"]["back"]["internal"]


def test_the_files_that_are_mounted_exist() -> None:
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert [file for file in files if not (DOCKER / file).is_file()] == []
    volumes = {mount.split(":")[0] for mount in mounts if not mount.startswith("./")}
    assert volumes == COMPOSE["volumes"].keys()


def test_every_service_is_looked_at_and_has_time_to_stop() -> None:
    for name, service in SERVICES.items():
        assert "test" in service["healthcheck"], name
        assert service["restart"] == "unless-stopped", name
        assert int(service["stop_grace_period"].removesuffix("s")) > 10, name
        for waited_for in service.get("depends_on", {}).values():
            assert waited_for == {"condition": "service_healthy"}, name


def test_the_example_names_every_variable() -> None:
    example = (DOCKER / "env.example").read_text()
    names = {line.split("=")[0] for line in example.splitlines() if line and line[0] != "#"}
    assert names == {
        match[1] for match in _VARIABLE.finditer((DOCKER / "compose.yaml").read_text())
    }


def test_secrets_have_no_default() -> None:
    for match in _VARIABLE.finditer((DOCKER / "compose.yaml").read_text()):
        if match[1] != "PROXY_ADDRESS":
            assert match[2].startswith(":?"), match[0]


async def test_the_health_check_tells_a_server_that_answers(server: ServerProcess) -> None:
    assert await _check("/healthz", server.port) == 0
    assert await _check("/readyz", server.port) == 0
    assert await _check("/elsewhere", server.port) == 1
    await server.kill()
    assert await _check("/healthz", server.port) == 1


async def _check(path: str, port: int) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DOCKER / "answers.py"), path, env={"PARLEY_PORT": str(port)}
    )
    return await process.wait()


def _instructions(name: str) -> Iterator[list[str]]:
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith(f"{name} "):
            yield shlex.split(line)[1:]


def _words(name: str) -> list[str]:
    return [word for words in _instructions(name) for word in words]


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _filled(text: str) -> str:
    return _VARIABLE.sub(SECRET, text)


def _address(name: str) -> str:
    address: str = SERVICES[name]["networks"]["front"]["ipv4_address"]
    return address
