import stat
import threading
from pathlib import Path

import pytest

from parley.server.keys import KeyFileError, KeyRing, RootSecret, SigningKey
from parley.server.settings import Settings


def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder)


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = KeyRing.load(settings(folder)).first
    assert KeyRing.load(settings(folder)).first == first
    assert len(first.secret) >= 32
    assert stat.S_IMODE((folder / "signing-key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["signing-key"]


def test_all_who_are_first_agree_on_one_key(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    seen: list[SigningKey] = []

    def load() -> None:
        barrier.wait()
        seen.append(KeyRing.load(settings(tmp_path)).first)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len({key.secret for key in seen}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["signing-key"]


def test_a_file_may_hold_several_keys_and_comments(tmp_path: Path) -> None:
    new, old = SigningKey.generate(), SigningKey.generate()
    (tmp_path / "signing-key").write_text(f"# since May\n{new}\n\n# until its tokens end\n{old}\n")
    ring = KeyRing.load(settings(tmp_path))
    assert ring.first == new
    assert ring.get(old.kid) == old
    assert ring.get("other") is None


def test_keys_of_the_settings_win_and_no_file_is_made(tmp_path: Path) -> None:
    key = SigningKey.generate()
    ring = KeyRing.load(Settings(data_dir=tmp_path, signing_keys=(key,)))
    assert ring.first == key
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "# nothing\n", "a:short\n", "no colon\n", "\xff\xfe"])
def test_a_damaged_file_is_named_and_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "signing-key"
    path.write_text(content, "latin-1")
    with pytest.raises(KeyFileError) as caught:
        KeyRing.load(settings(tmp_path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_text("latin-1") == content


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "signing-key").mkdir()
    with pytest.raises(KeyFileError, match="signing-key"):
        KeyRing.load(settings(tmp_path))


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match="file"):
        KeyRing.load(settings(tmp_path / "file" / "data"))


def test_a_key_file_open_to_others_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    KeyRing.load(settings(tmp_path))
    assert not caplog.records
    (tmp_path / "signing-key").chmod(0o644)
    KeyRing.load(settings(tmp_path))
    assert "chmod 600" in caplog.text


def test_a_derived_key_outlives_every_signing_key(tmp_path: Path) -> None:
    before = RootSecret.load(settings(tmp_path)).derive("digest")
    (tmp_path / "signing-key").write_text(f"{SigningKey.generate()}\n")
    after = RootSecret.load(settings(tmp_path))
    assert after.derive("digest") == before
    assert len(before) == 32
    assert after.derive("another purpose") != before
    assert stat.S_IMODE((tmp_path / "root-secret").stat().st_mode) == 0o600


def test_each_data_folder_has_its_own_root_secret(tmp_path: Path) -> None:
    one = RootSecret.load(settings(tmp_path / "one")).derive("digest")
    assert RootSecret.load(settings(tmp_path / "two")).derive("digest") != one


def test_a_damaged_root_secret_is_named(tmp_path: Path) -> None:
    (tmp_path / "root-secret").write_text("abc\n")
    with pytest.raises(KeyFileError, match="root-secret"):
        RootSecret.load(settings(tmp_path))


def test_nodes_with_one_secret_have_the_same_keys_and_make_no_files(tmp_path: Path) -> None:
    one, two = (Settings(data_dir=tmp_path / n, cluster_key="k" * 32) for n in ("one", "two"))
    assert KeyRing.load(one).first == KeyRing.load(two).first
    assert RootSecret.load(one).derive("digest") == RootSecret.load(two).derive("digest")
    assert RootSecret.load(one).fingerprint() == RootSecret.load(two).fingerprint()
    assert not list(tmp_path.iterdir())
    other = Settings(data_dir=tmp_path, cluster_key="o" * 32)
    assert KeyRing.load(other).first != KeyRing.load(one).first
    assert RootSecret.load(other).derive("digest") != RootSecret.load(one).derive("digest")
    assert RootSecret.load(other).fingerprint() != RootSecret.load(one).fingerprint()


def test_keys_of_its_own_come_before_the_shared_secret(tmp_path: Path) -> None:
    key = SigningKey.generate()
    own = Settings(data_dir=tmp_path, signing_keys=(key,), cluster_key="k" * 32)
    assert KeyRing.load(own).first == key
