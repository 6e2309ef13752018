"""Passwords: how they are hashed and compared, and which will do."""

import asyncio
import os
import unicodedata
from typing import Literal

import pytest
from argon2 import PasswordHasher

from server.identity import passwords as secrets
from server.identity.local import SignInError, authenticate
from server.identity.model import Account
from server.identity.passwords import Passwords, problem
from server.oauth.errors import TemporarilyUnavailable
from server.oauth.model import User
from tests.people import HASH, PASSWORD
from tests.support import HASHER

ABOUT = ("ada", "Ada Lovelace", "ada.lovelace@example.com")


class Watched(PasswordHasher):
    """A real hasher that keeps count of its work."""

    def __init__(self) -> None:
        super().__init__(time_cost=2, memory_cost=64, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
        self.verified.append(str(hash).rpartition("$")[0].rpartition("$")[0])
        return super().verify(hash, password)


class OneAccount:
    """A store with one account, or with none."""

    def __init__(self, account: Account | None) -> None:
        self._account = account

    async def find_account(self, _username: str) -> Account | None:
        return self._account

    async def rehash_password(self, _user_id: str, _former: str, _hash: str) -> bool:
        return True


async def test_a_hash_is_argon2id_of_the_recommended_cost_under_a_salt_of_its_own() -> None:
    hashed = [await Passwords(os.urandom).hash(PASSWORD) for _ in range(2)]
    assert hashed[0] != hashed[1]
    assert {one.rpartition("$")[0].rpartition("$")[0] for one in hashed} == {"$argon2id$v=19$m=65536,t=3,p=4"}
    assert await Passwords(os.urandom).check(hashed[0], PASSWORD)
    assert not await Passwords(os.urandom).check(hashed[0], PASSWORD + "!")


async def test_it_matches_whichever_way_its_letters_were_typed() -> None:
    passwords = Passwords(os.urandom, HASHER)
    typed = "caf\u00e9 au lait, \ufb01ne"
    assert await passwords.check(await passwords.hash(typed), unicodedata.normalize("NFD", typed))


@pytest.mark.parametrize(
    "stored", ["", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$$", HASH[:-3]], ids=["nothing", "a word", "no hash", "cut"]
)
async def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not await Passwords(os.urandom, HASHER).check(stored, PASSWORD)


async def test_nobodys_hash_matches_no_password() -> None:
    for password in ("", PASSWORD, "\0" * 32):
        assert not await Passwords(os.urandom, HASHER).check(None, password)


async def test_a_hash_is_outdated_when_its_cost_is_another() -> None:
    passwords = Passwords(os.urandom, HASHER)
    assert not passwords.is_outdated(await passwords.hash(PASSWORD))
    assert Passwords(os.urandom).is_outdated(HASH)


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (None, "there is no such account"),
        (Account(User("u", "local", "ada"), None), "no password was set yet"),
        (Account(User("u", "local", "ada"), "right"), "wrong password"),
        (Account(User("u", "local", "ada", disabled_at=1), "right"), "the account is disabled"),
    ],
)
async def test_the_same_work_is_done_whoever_does_not_sign_in(account: Account | None, reason: str) -> None:
    hasher = Watched()
    passwords = Passwords(os.urandom, hasher)
    stored = await passwords.hash(PASSWORD)
    if account is not None and account.password_hash:
        account = Account(account.user, stored)
    typed = "wrong" if reason == "wrong password" else PASSWORD
    with pytest.raises(SignInError, match=reason):
        await authenticate("ada", typed, OneAccount(account), passwords)  # type: ignore[arg-type]  # the part that it uses
    assert hasher.verified == ["$argon2id$v=19$m=64,t=2,p=1"]


async def test_the_event_loop_goes_on_while_a_hash_is_worked_out() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await Passwords(os.urandom).hash(PASSWORD)
    ticking.cancel()
    assert ticks > 10


async def test_few_are_worked_out_at_once_and_none_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "PATIENCE", 0.01)
    slow = PasswordHasher(time_cost=40, memory_cost=8_192, parallelism=1)
    passwords = Passwords(os.urandom, slow)
    done = await asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(6)), return_exceptions=True)
    refused = [one for one in done if isinstance(one, TemporarilyUnavailable)]
    assert len(refused) == 6 - secrets.AT_ONCE
    assert isinstance(await passwords.hash(PASSWORD), str), "a turn that was refused must not be lost"


@pytest.mark.parametrize(
    "password",
    [
        "short one",
        "password123",
        "P@ssw0rd2026!",
        "qwertyuiop12",
        "1q2w3e4r5t6y",
        "aaaaaaaaaaaaaaaa",
        "letmeinletmein",
        "AdaLovelace1",
        "ada.lovelace@example.com",
        "lovelace99ada",
        "x" * 257,
    ],
)
def test_what_can_be_guessed_will_not_do(password: str) -> None:
    assert problem(password, ABOUT)


@pytest.mark.parametrize(
    "password", [PASSWORD, "Tr0ub4dour&3 or so", "kx7-Vq2!mPz9", "пять несвязанных слов", "電池 staple 字字 correct"]
)
def test_what_is_long_and_unrelated_will_do(password: str) -> None:
    assert problem(password, ABOUT) is None


def test_the_longest_is_judged_without_delay() -> None:
    assert problem("aB3$" * 64, ABOUT)
    assert problem("kx7-Vq2!mPz9 " * 19, ABOUT) is None
