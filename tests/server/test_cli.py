import contextlib
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from parley.server import __version__
from parley.server.auth import TokenAuthenticator, TokenMint
from parley.server.http import announce
from parley.server.keys import KeyRing, SigningKey
from parley.server.settings import Settings

Done = subprocess.CompletedProcess[str]
Parley = Callable[..., Done]


@pytest.fixture
def parley(python: Parley) -> Parley:
    def run(*args: str, **settings: str) -> Done:
        return python("-m", "parley.server", *args, **settings)

    return run


def said(done: Done, status: int) -> list[str]:
    """Return what a failed command said, which is never a traceback and never on stdout."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def test_version(parley: Parley) -> None:
    assert parley("--version").stdout == f"parley {__version__}\n"


def test_version_loads_no_server(python: Parley) -> None:
    program = "import sys, parley.server.cli; print('aiohttp' in sys.modules, 'jwt' in sys.modules)"
    assert python("-c", program).stdout == "False False\n"


def test_a_token_is_alone_on_standard_output(parley: Parley, tmp_path: Path) -> None:
    options = ["--name", "Alice", "--role", "admin", "--role", "bot", "--ttl", "30m"]
    done = parley("token", "--user", "alice", *options)
    key_file = (tmp_path / "data" / "signing-key").resolve()
    assert (done.returncode, done.stderr) == (0, f"Made a new signing key: {key_file}\n")
    identity = TokenAuthenticator(KeyRing.load(Settings(data_dir=tmp_path / "data")))(
        done.stdout.removesuffix("\n")
    )
    assert (identity.user_id, identity.name) == ("alice", "Alice")
    assert identity.roles == {"admin", "bot"}


def test_a_token_of_a_cluster_makes_no_key(parley: Parley, tmp_path: Path) -> None:
    done = parley("token", "--user", "alice", PARLEY_CLUSTER_KEY="k" * 32)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "data").exists()


def test_the_second_token_has_the_same_key(parley: Parley, tmp_path: Path) -> None:
    parley("token", "--user", "alice")
    key = (tmp_path / "data" / "signing-key").read_bytes()
    parley("token", "--user", "bob")
    assert (tmp_path / "data" / "signing-key").read_bytes() == key


@pytest.mark.parametrize("user", ["a b", "", "ä", "a" * 65])
def test_a_bad_user_id_is_said(parley: Parley, user: str) -> None:
    [line] = said(parley("token", "--user", user), 2)
    assert line.startswith("parley: a user id (sub) is 1 to 64 characters")


@pytest.mark.parametrize("ttl", ["0", "-1h", "1w", "h", "1.5h", ""])
def test_a_bad_ttl_is_said(parley: Parley, ttl: str) -> None:
    assert "is not a time such as" in said(parley("token", "--user", "a", "--ttl", ttl), 2)[-1]


def test_every_bad_setting_gets_a_line(parley: Parley) -> None:
    done = parley("serve", PARLEY_PORT="x", PARLEY_LOG_LEVEL="loud", PARLEY_PROT="1")
    lines = said(done, 2)
    assert [line.split(":")[1].strip() for line in lines] == [
        "PARLEY_PROT",
        "PARLEY_PORT",
        "PARLEY_LOG_LEVEL",
    ]


def test_options_win_over_variables(parley: Parley) -> None:
    done = parley("serve", "--port", "70000", "--web", "absent", PARLEY_PORT="1")
    lines = said(done, 2)
    assert "not '70000'" in lines[0]
    assert "no folder 'absent'" in lines[1]


def test_a_key_file_of_no_use_is_said(parley: Parley, tmp_path: Path) -> None:
    path = tmp_path / "data" / "signing-key"
    path.parent.mkdir()
    path.write_text("nonsense\n")
    for command in (["token", "--user", "alice"], ["serve"]):
        lines = said(parley(*command, PARLEY_LOG_LEVEL="error"), 1)
        assert len(lines) == 1
        assert "signing-key" in lines[0]
        assert "nonsense" not in lines[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_taken_port_is_said(parley: Parley, host: str) -> None:
    with contextlib.closing(socket.create_server((host, 0))) as taken:
        port = str(taken.getsockname()[1])
        [line] = said(parley("serve", PARLEY_HOST=host, PARLEY_PORT=port), 1)
    assert line == f"parley: port {port} is taken; choose another with PARLEY_PORT"


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_said(parley: Parley, host: str) -> None:
    [line] = said(parley("serve", PARLEY_HOST=host), 1)
    assert line == f"parley: PARLEY_HOST: {host!r} is not an address of this machine"


def test_the_announcement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = KeyRing((SigningKey.generate(),))
    announce(Settings(), 4711, TokenMint(keys))
    assert capsys.readouterr().out == "Parley listening on http://127.0.0.1:4711\n"

    announce(Settings(host="::1", web_root=tmp_path, dev_login=True), 1, TokenMint(keys))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Parley listening on http://[::1]:1", "Chat page: http://[::1]:1/"]
    for user_id, line in zip(["alice", "bob"], lines[2:], strict=True):
        label, token = line.rsplit(" ", 1)
        assert label == f"Token of {user_id}:"
        assert TokenAuthenticator(keys)(token).user_id == user_id

    announce(Settings(host="0.0.0.0", web_root=tmp_path), 80, TokenMint(keys))
    assert capsys.readouterr().out.endswith("Chat page: http://127.0.0.1:80/\n")
