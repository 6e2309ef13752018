"""Proof key for code exchange (RFC 7636)."""

import pytest

from server.oauth import pkce

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_standard_verifies() -> None:
    assert pkce.verify(CHALLENGE, VERIFIER)


@pytest.mark.parametrize("verifier", [VERIFIER[:-1] + "l", VERIFIER + "A", CHALLENGE])
def test_another_verifier_does_not(verifier: str) -> None:
    assert not pkce.verify(CHALLENGE, verifier)


def test_a_plain_challenge_does_not_verify() -> None:
    assert not pkce.verify(VERIFIER, VERIFIER)


@pytest.mark.parametrize("value", ["a" * 43, "a" * 128, "aZ09-._~" * 6])
def test_43_to_128_unreserved_characters_are_well_formed(value: str) -> None:
    assert pkce.is_well_formed(value)


@pytest.mark.parametrize(
    "value",
    ["", "a" * 42, "a" * 129, "a" * 42 + "=", "a" * 42 + "+", "a" * 42 + " ", "a" * 43 + "\n", "é" * 43, "٣" * 43],
)
def test_anything_else_is_not(value: str) -> None:
    assert not pkce.is_well_formed(value)
