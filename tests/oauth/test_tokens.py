"""Tokens: kinds, checksum, size of the secret, the one successor."""

import hashlib
import hmac
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.oauth import tokens

KINDS = [tokens.CODE, tokens.ACCESS, tokens.REFRESH]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def test_the_kinds_have_their_documented_prefixes() -> None:
    assert KINDS == ["att_ac_", "att_at_", "att_rt_"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_asks_for_256_random_bits_and_carries_each_of_them(kind: str) -> None:
    asked: list[int] = []
    drawn = [bytes(32), bytes(31) + b"\x01", b"\x80" + bytes(31), b"\xff" * 32]
    source = iter(drawn)

    def entropy(size: int) -> bytes:
        asked.append(size)
        return next(source)

    made = [tokens.make(kind, entropy) for _ in drawn]
    assert asked == [32, 32, 32, 32]
    assert len(set(made)) == len(made)
    assert all(tokens.is_well_formed(kind, token) and len(token) == 56 for token in made)


@given(st.binary(min_size=32, max_size=32))
def test_a_token_is_url_safe_and_says_its_random_number_and_the_checksum_of_that(random: bytes) -> None:
    token = tokens.make(tokens.ACCESS, lambda _: random)
    assert set(token.removeprefix(tokens.ACCESS)) <= set(ALPHABET)
    assert _number(token[-49:-6]) == int.from_bytes(random)
    assert _number(token[-6:]) == zlib.crc32(token[:-6].encode())


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + ALPHABET.index(digit)
    return number


@given(st.binary(min_size=32, max_size=32), st.integers(0, 55), st.sampled_from("0Az_é"))
def test_a_changed_character_is_noticed(random: bytes, position: int, character: str) -> None:
    token = tokens.make(tokens.REFRESH, lambda _: random)
    changed = token[:position] + character + token[position + 1 :]
    assert tokens.is_well_formed(tokens.REFRESH, changed) == (changed == token)


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_of_another_kind_is_not_well_formed(kind: str) -> None:
    token = tokens.make(kind, os.urandom)
    assert [tokens.is_well_formed(other, token) for other in KINDS] == [other == kind for other in KINDS]


@given(st.text())
def test_text_from_outside_is_no_token_and_breaks_nothing(text: str) -> None:
    assert not any(tokens.is_well_formed(kind, text) for kind in KINDS)


@pytest.mark.parametrize("change", [str.upper, str.strip, lambda t: t + " ", lambda t: " " + t, lambda t: t + "\n"])
def test_a_token_with_something_around_it_is_not_well_formed(change: "object") -> None:
    token = tokens.make(tokens.ACCESS, os.urandom)
    changed = change(token)  # type: ignore[operator]  # each of them is a function of text
    assert tokens.is_well_formed(tokens.ACCESS, changed) == (changed == token)


def test_the_successor_is_derived_from_token_and_salt_and_from_nothing_else() -> None:
    token, salt = tokens.make(tokens.REFRESH, os.urandom), os.urandom(32).hex()
    successor = tokens.successor(token, salt)
    assert successor == tokens.successor(token, salt)
    assert tokens.is_well_formed(tokens.REFRESH, successor)
    random = hmac.new(token.encode(), salt.encode(), hashlib.sha256).digest()
    assert successor == tokens.make(tokens.REFRESH, lambda _: random)
    assert successor != tokens.successor(token, os.urandom(32).hex())
    assert successor != tokens.successor(tokens.make(tokens.REFRESH, os.urandom), salt)


def test_a_digest_is_hexadecimal_sha_256() -> None:
    assert tokens.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_hint_is_the_first_six_characters_after_the_prefix() -> None:
    assert tokens.hint("att_rt_abcdefghijkl") == "abcdef"
