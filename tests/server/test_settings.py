from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from parley.server.settings import InvalidSettings, Settings

KEY = urlsafe_b64encode(bytes(range(32))).decode()


def problems(env: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_env(env)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_nothing_set_is_a_complete_server_on_loopback() -> None:
    settings = Settings.from_env({"PATH": "/bin"})
    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_every_setting_is_read_from_its_variable(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "PARLEY_HOST": "::1",
            "PARLEY_PORT": "0",
            "PARLEY_DATA_DIR": str(tmp_path / "new"),
            "PARLEY_WEB_ROOT": str(tmp_path),
            "PARLEY_DEV_LOGIN": "1",
            "PARLEY_ORIGINS": "https://Chat.example.org:443/, capacitor://localhost,",
            "PARLEY_SIGNING_KEYS": f"new:{KEY},old:{KEY}",
            "PARLEY_JWT_AUDIENCE": "chat",
            "PARLEY_JWT_ISSUER": "https://id.example.org",
            "PARLEY_MAX_PAYLOAD": "2000",
            "PARLEY_PING_INTERVAL_MS": "3000",
            "PARLEY_PING_TIMEOUT_MS": "200",
            "PARLEY_RETENTION_DAYS": "30",
            "PARLEY_LOG_LEVEL": "DEBUG",
            "PARLEY_LOG_FORMAT": "json",
        }
    )
    assert (settings.host, settings.port) == ("::1", 0)
    assert (settings.data_dir, settings.web_root) == (tmp_path / "new", tmp_path)
    assert settings.dev_login
    assert settings.origins == {"https://chat.example.org", "capacitor://localhost"}
    assert [key.kid for key in settings.signing_keys] == ["new", "old"]
    assert settings.signing_keys[0].secret == bytes(range(32))
    assert (settings.jwt_audience, settings.jwt_issuer) == ("chat", "https://id.example.org")
    assert settings.max_payload == 2000
    assert (settings.ping_interval_ms, settings.ping_timeout_ms) == (3000, 200)
    assert settings.retention_days == 30
    assert (settings.log_level, settings.log_format) == ("debug", "json")


def test_set_to_nothing_is_not_set() -> None:
    assert Settings.from_env({"PARLEY_PORT": "", "REDIS_URL": " "}) == Settings()


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = problems(
        {
            "PARLEY_PORT": "99999",
            "PARLEY_WEB_ROOT": str(tmp_path / "absent"),
            "PARLEY_DATA_DIR": str(tmp_path / "file"),
            "PARLEY_DEV_LOGIN": "maybe",
            "PARLEY_ORIGINS": "chat.example.org",
            "PARLEY_LOG_LEVEL": "loud",
            "PARLEY_PING_INTERVAL_MS": "15s",
        }
    )
    assert [problem.split(":")[0] for problem in found] == [
        "PARLEY_PORT",
        "PARLEY_DATA_DIR",
        "PARLEY_WEB_ROOT",
        "PARLEY_DEV_LOGIN",
        "PARLEY_ORIGINS",
        "PARLEY_PING_INTERVAL_MS",
        "PARLEY_LOG_LEVEL",
    ]
    assert found[0] == "PARLEY_PORT: must be a whole number from 0 to 65535, not '99999'"


@pytest.mark.parametrize("port", ["-1", "65536", "1e3", "8080.0", "٣", "9" * 5000, "0x50"])
def test_a_port_is_a_plain_number(port: str) -> None:
    assert len(problems({"PARLEY_PORT": port})) == 1


def test_an_unknown_name_is_a_problem_with_a_hint() -> None:
    assert problems({"PARLEY_PROT": "1", "PARLEY_ZZZ": "1"}) == [
        "PARLEY_PROT: there is no such setting; did you mean PARLEY_PORT?",
        "PARLEY_ZZZ: there is no such setting",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "redis://:password@10.0.0.1",
        "rediss://u:password@cache:6380/2",
        "redis+sentinel://a:26379,b:26379/main",
        "redis+cluster://:password@a,b,c",
        "unix:///run/redis.sock",
    ],
)
@pytest.mark.parametrize("name", ["REDIS_URL", "PARLEY_REDIS_URL"])
def test_redis_is_known_without_the_prefix_too(name: str, url: str) -> None:
    settings = Settings.from_env({name: url})
    assert settings.redis_url == url
    assert "password" not in repr(settings)


@pytest.mark.parametrize("url", ["cache:secret", "http://secret@cache", "redis://", "redis:///0"])
def test_a_wrong_redis_url_is_not_shown(url: str) -> None:
    [problem] = problems({"REDIS_URL": url})
    assert problem.startswith("PARLEY_REDIS_URL: must be a URL such as redis://")
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:secret@a:port", "a port or an option"),
        ("redis://:secret@a:65536/0", "a port or an option"),
        ("redis://:secret@a/0?sorket_timeout=1", "a port or an option"),
        ("redis://:secret@a/0?socket_timeout=soon", "a port or an option"),
        ("redis+sentinel://:secret@a,b", "no name of a master"),
        ("redis+sentinel://:secret@a,b/main/x", "number of the database"),
        ("redis://:secret@a:6379/x", "number of the database"),
        ("redis+cluster://:secret@a,b/1", "no numbered databases"),
        ("redis+cluster://:secret@a,", "a host in the URL"),
        ("redis+cluster://:secret@a:port", "a host in the URL"),
    ],
)
def test_what_is_wrong_with_a_redis_url_is_said(url: str, said: str) -> None:
    [problem] = problems({"REDIS_URL": url})
    assert problem.startswith("PARLEY_REDIS_URL: ")
    assert said in problem
    assert "secret" not in problem


@pytest.mark.parametrize("name", ["", "N1", "n.1", "n" * 17, "n_1"])
def test_a_node_has_a_name_that_proxies_can_tell(name: str) -> None:
    assert len(problems({"PARLEY_NODE": name or "-"})) == 1


def test_nodes_of_a_cluster_share_a_secret() -> None:
    cluster = {"MONGODB_URL": "mongodb://db", "REDIS_URL": "redis://cache"}
    [problem] = problems(cluster)
    assert problem.startswith("PARLEY_CLUSTER_KEY: is needed with REDIS_URL and MONGODB_URL")
    settings = Settings.from_env({**cluster, "PARLEY_CLUSTER_KEY": "c" * 32})
    assert "ccc" not in repr(settings)
    [problem] = problems({**cluster, "PARLEY_CLUSTER_KEY": "short-secret"})
    assert "short-secret" not in problem
    assert "is needed" not in problem


@pytest.mark.parametrize("name", ["MONGODB_URL", "PARLEY_MONGODB_URL"])
def test_mongodb_is_known_without_the_prefix_too(name: str) -> None:
    url = "mongodb://parley:pass%20word@db1,db2:27018/?replicaSet=rs0"
    settings = Settings.from_env({name: url, "PARLEY_MONGODB_DATABASE": "chat_1"})
    assert (settings.mongodb_url, settings.mongodb_database) == (url, "chat_1")
    assert "pass" not in repr(settings)
    both = {"MONGODB_URL": url, "PARLEY_MONGODB_URL": url}
    assert Settings.from_env(both).mongodb_url == url


def test_two_places_to_keep_everything_are_one_too_many() -> None:
    both = {"MONGODB_URL": "mongodb://secret@a", "PARLEY_MONGODB_URL": "mongodb://secret@b"}
    [problem] = problems(both)
    assert problem.startswith("MONGODB_URL: PARLEY_MONGODB_URL says something else")
    assert "secret" not in problem


@pytest.mark.parametrize("url", ["db1:secret", "http://secret@db1", "mongodb://", "mongodb:///x"])
def test_a_wrong_mongodb_url_is_not_shown(url: str) -> None:
    [problem] = problems({"MONGODB_URL": url})
    assert problem.startswith("PARLEY_MONGODB_URL: must be a URL such as mongodb://")
    assert "secret" not in problem


@pytest.mark.parametrize("name", ["a.b", "a/b", "$x", "a b", "x" * 64])
def test_a_database_has_a_plain_name(name: str) -> None:
    assert len(problems({"PARLEY_MONGODB_DATABASE": name})) == 1


def test_sign_in_by_name_stays_on_this_machine() -> None:
    [problem] = problems({"PARLEY_DEV_LOGIN": "1", "PARLEY_HOST": "0.0.0.0"})
    assert "0.0.0.0" in problem
    for host in ("localhost", "127.0.0.2", "::1"):
        assert Settings.from_env({"PARLEY_DEV_LOGIN": "1", "PARLEY_HOST": host}).dev_login


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ("secret-without-name", "kid:base64url"),
        ("a b:" + KEY, "kid:base64url"),
        ("a:" + KEY[:20], "at least 32"),
        ("a:" + KEY[:20] + "!" + KEY[20:], "not base64url"),
        (f"a:{KEY},a:{KEY}", "same kid"),
        (",", "at least one"),
    ],
)
def test_a_bad_signing_key_is_a_problem_that_does_not_show_it(keys: str, what: str) -> None:
    [problem] = problems({"PARLEY_SIGNING_KEYS": keys})
    assert what in problem
    assert KEY[:20] not in problem
    assert "secret-without-name" not in problem


def test_keys_are_not_in_the_repr() -> None:
    settings = Settings.from_env({"PARLEY_SIGNING_KEYS": f"a:{KEY}"})
    assert "secret" not in repr(settings.signing_keys)
    assert "signing_keys" not in repr(settings)
    assert KEY not in repr(settings)


@pytest.mark.parametrize("origin", ["*", "http://localhost:3000", "https://a.example, *"])
def test_origins_that_are_accepted(origin: str) -> None:
    assert Settings.from_env({"PARLEY_ORIGINS": origin}).origins


@pytest.mark.parametrize("origin", ["https://*.example.org", "https://a/b", "null", "https://"])
def test_origins_that_are_refused(origin: str) -> None:
    assert problems({"PARLEY_ORIGINS": origin})


@pytest.mark.parametrize(
    "url",
    [
        "consul://127.0.0.1",
        "consul://[::1]:8500/chat?token=5b1e4e0c-secret",
        "etcd://etcd-1.internal:2379",
        "etcd://10.0.0.1/chat/nodes",
    ],
)
def test_a_registry_is_consul_or_etcd(url: str) -> None:
    settings = Settings.from_env({"PARLEY_DISCOVERY_URL": url})
    assert settings.discovery_url == url
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://host?token=secret",
        "consul://",
        "consul://host:99999?token=secret",
        "consul://host/a/b?token=secret",
        "consul://host?tokn=secret",
        "etcd://host?token=secret",
        "etcd://user:secret@host",
    ],
)
def test_a_wrong_registry_is_not_shown(url: str) -> None:
    [problem] = problems({"PARLEY_DISCOVERY_URL": url})
    assert problem.startswith("PARLEY_DISCOVERY_URL: must be consul://host:8500")
    assert "secret" not in problem


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_node_that_listens_everywhere_says_where_it_is(host: str) -> None:
    given = {"PARLEY_DISCOVERY_URL": "etcd://host", "PARLEY_HOST": host}
    [problem] = problems(given)
    assert problem.startswith("PARLEY_ADVERTISE: is needed with PARLEY_DISCOVERY_URL")
    assert host in problem
    Settings.from_env({"PARLEY_HOST": host})
    Settings.from_env({**given, "PARLEY_ADVERTISE": "10.0.0.5"})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("n1", ("n1", None)),
        ("10.0.0.5:8080", ("10.0.0.5", 8080)),
        ("[fd00::5]", ("fd00::5", None)),
        ("[fd00::5]:80", ("fd00::5", 80)),
    ],
)
def test_an_address_may_have_a_port(text: str, address: tuple[str, int | None]) -> None:
    advertise = Settings.from_env({"PARLEY_ADVERTISE": text}).advertise
    assert advertise is not None
    assert (advertise.host, advertise.port) == address


@pytest.mark.parametrize("text", ["http://n1", "n1:0", "n1:65536", "n1:port", "fd00::5", "a b"])
def test_a_wrong_address_is_named(text: str) -> None:
    assert problems({"PARLEY_ADVERTISE": text}) == [
        f"PARLEY_ADVERTISE: must be an address such as 10.0.0.5 or n1.internal:8080, not {text!r}"
    ]


def test_a_webhook_may_name_its_port() -> None:
    url = "https://push.example.org:8443/parley"
    settings = Settings.from_env({"PARLEY_PUSH_URL": url, "PARLEY_PUSH_SECRET": "s" * 32})
    assert settings.push_url == url


@pytest.mark.parametrize("url", ["push", "http://", "http://push:65536/", "http://push:port/"])
def test_a_webhook_that_is_no_address_is_named(url: str) -> None:
    [problem] = problems({"PARLEY_PUSH_URL": url, "PARLEY_PUSH_SECRET": "s" * 32})
    assert problem == f"PARLEY_PUSH_URL: must be an http(s) address, not {url!r}"
