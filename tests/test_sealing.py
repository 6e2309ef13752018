"""The secret and what is sealed under it."""

import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sealing import Sealer, SecretError, Unsealable, key_file, load_secret

SECRET = bytes(range(32))


@given(st.binary())
def test_what_is_sealed_comes_back(content: bytes) -> None:
    assert Sealer(SECRET).unseal("verifier", Sealer(SECRET).seal("verifier", content)) == content


def test_the_same_content_is_never_sealed_alike() -> None:
    sealer = Sealer(SECRET)
    assert sealer.seal("verifier", b"content") != sealer.seal("verifier", b"content")


@pytest.mark.parametrize(
    ("secret", "purpose"), [(bytes(32), "verifier"), (SECRET, "signing key")], ids=["another secret", "another purpose"]
)
def test_it_opens_with_the_same_secret_for_the_same_purpose_alone(secret: bytes, purpose: str) -> None:
    sealed = Sealer(SECRET).seal("verifier", b"content")
    with pytest.raises(Unsealable):
        Sealer(secret).unseal(purpose, sealed)


@pytest.mark.parametrize("position", [0, 20, -3])
def test_what_was_changed_does_not_open(position: int) -> None:
    sealed = list(Sealer(SECRET).seal("verifier", b"content"))
    sealed[position] = "A" if sealed[position] != "A" else "B"
    with pytest.raises(Unsealable):
        Sealer(SECRET).unseal("verifier", "".join(sealed))


@pytest.mark.parametrize("garbage", ["", "A", "AAAA", "é", "not base64 at all!"])
def test_garbage_does_not_open(garbage: str) -> None:
    with pytest.raises(Unsealable):
        Sealer(SECRET).unseal("verifier", garbage)


def test_keys_differ_by_purpose_and_stay_the_same() -> None:
    first, again = Sealer(SECRET), Sealer(SECRET)
    assert first.key("verifier") == again.key("verifier") != first.key("signing key")
    assert len(first.key("verifier")) == 32


def test_a_configured_secret_needs_no_file(tmp_path: Path) -> None:
    assert load_secret("s" * 32, tmp_path / "key") == b"s" * 32
    assert not list(tmp_path.iterdir())


def test_the_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = key_file(tmp_path / "server.db")
    secret = load_secret("", file)
    assert file == tmp_path / "server.db.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_secret("", file) == secret
    assert list(tmp_path.iterdir()) == [file]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        secrets = pool.starmap(load_secret, [("", tmp_path / "key")] * 8)
    assert len(set(secrets)) == 1


def test_who_makes_it_second_takes_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    first = load_secret("", file)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert load_secret("", file) == first


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        ("", 0o600, "fewer than 32 bytes"),
        ("00ff", 0o600, "fewer than 32 bytes"),
        ("a secret in plain words", 0o600, "non-hexadecimal"),
        ("ab" * 32, 0o640, "chmod 600"),
        ("ab" * 32, 0o604, "chmod 600"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_what_to_do(tmp_path: Path, content: str, mode: int, said: str) -> None:
    file = tmp_path / "key"
    file.write_text(content, "ascii")
    file.chmod(mode)
    with pytest.raises(SecretError, match=said) as refused:
        load_secret("", file)
    assert str(refused.value).startswith(f"{file}: ")
    assert "SECRET_KEY" in str(refused.value)
    assert content not in str(refused.value) or not content


def test_a_folder_that_is_missing_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="SECRET_KEY"):
        load_secret("", tmp_path / "missing" / "key", os.urandom)
