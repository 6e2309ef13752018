"""Clients' keys: which may be registered, and which may have signed what."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, HMACAlgorithm, OKPAlgorithm, RSAAlgorithm

from server.oauth import jwks
from server.oauth.errors import InvalidClientMetadata
from server.settings import load_settings
from tests.site import KEYS, OTHER, RSA, Key

SETTINGS = load_settings(oauth_cimd_dev_origins="http://localhost:9000")
WEAK = Key(rsa.generate_private_key(65537, 1024), "RS256", "weak").public  # noqa: S505 - to be refused
P384: dict[str, Any] = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
ED448: dict[str, Any] = OKPAlgorithm.to_jwk(ed448.Ed448PrivateKey.generate().public_key(), as_dict=True)
SYMMETRIC: dict[str, Any] = HMACAlgorithm.to_jwk(b"x" * 32, as_dict=True)
PRIVATE: dict[str, Any] = RSAAlgorithm.to_jwk(RSA.private, as_dict=True)

UNUSABLE: list[Any] = [
    WEAK,
    P384,
    ED448,
    {**RSA.public, "n": "A" * 11_000},
    {**RSA.public, "e": "A" * 100 + "_" * 100},
    {**RSA.public, "n": ""},
    {**RSA.public, "n": 7},
    {**RSA.public, "n": "ü"},
    {**RSA.public, "e": None},
    {**RSA.public, "use": "enc"},
    {**RSA.public, "alg": "RS512"},
    {**RSA.public, "key_ops": ["encrypt"]},
    {**RSA.public, "key_ops": "verify"},
    {**RSA.public, "kty": "EC"},
    {"kty": ["RSA"]},
    {},
]


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_of_every_kind_may_be_registered(algorithm: str) -> None:
    keys = {"keys": [KEYS[algorithm].public]}
    assert jwks.source({"jwks": keys}, SETTINGS) == {"jwks": keys}


@pytest.mark.parametrize("uri", ["https://client.example/jwks.json", "http://localhost:9000/jwks.json"])
def test_keys_may_be_elsewhere(uri: str) -> None:
    assert jwks.source({"jwks_uri": uri}, SETTINGS) == {"jwks_uri": uri}


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "either"),
        ({"jwks": None}, "either"),
        ({"jwks": {"keys": [RSA.public]}, "jwks_uri": "https://client.example/jwks.json"}, "either"),
        ({"jwks": []}, "list of keys"),
        ({"jwks": {"keys": {}}}, "list of keys"),
        ({"jwks": {"keys": ["x"]}}, "list of keys"),
        ({"jwks": {"keys": []}}, "to verify with"),
        ({"jwks": {"keys": [PRIVATE]}}, "private or secret"),
        ({"jwks": {"keys": [RSA.public, PRIVATE]}}, "private or secret"),
        ({"jwks": {"keys": [SYMMETRIC]}}, "private or secret"),
        ({"jwks_uri": 7}, "not a string"),
        ({"jwks_uri": ""}, "jwks_uri"),
        ({"jwks_uri": "http://client.example/jwks.json"}, "https"),
        ({"jwks_uri": "https://user@client.example/jwks.json"}, "user info"),
        ({"jwks_uri": "https://client.example/jwks.json", "token_endpoint_auth_signing_alg": "HS256"}, "one of"),
        ({"jwks_uri": "https://client.example/jwks.json", "token_endpoint_auth_signing_alg": "none"}, "one of"),
        ({"jwks_uri": "https://client.example/jwks.json", "token_endpoint_auth_signing_alg": []}, "one of"),
    ],
)
def test_what_cannot_be_used_is_refused(metadata: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidClientMetadata, match=reason):
        jwks.source(metadata, SETTINGS)


@pytest.mark.parametrize("key", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_key_that_is_weak_or_for_something_else_is_never_used(key: dict[str, Any]) -> None:
    assert [jwks.candidates({"keys": [key]}, algorithm, None) for algorithm in jwks.ALGORITHMS] == [[]] * 4
    with pytest.raises(InvalidClientMetadata, match="to verify with"):
        jwks.source({"jwks": {"keys": [key]}}, SETTINGS)


@pytest.mark.parametrize("key", [PRIVATE, SYMMETRIC])
def test_a_key_that_should_have_been_kept_secret_is_never_used(key: dict[str, Any]) -> None:
    assert [jwks.candidates({"keys": [key]}, algorithm, None) for algorithm in jwks.ALGORITHMS] == [[]] * 4


def test_a_key_goes_with_the_algorithms_of_its_type_only() -> None:
    keys = {"keys": [KEYS[algorithm].public for algorithm in ("RS256", "ES256", "EdDSA")]}
    found = {algorithm: [key["kty"] for key in jwks.candidates(keys, algorithm, None)] for algorithm in jwks.ALGORITHMS}
    assert found == {"RS256": ["RSA"], "PS256": ["RSA"], "ES256": ["EC"], "EdDSA": ["OKP"]}


def test_a_key_that_names_its_algorithm_goes_with_that_alone() -> None:
    keys = {"keys": [{**RSA.public, "alg": "PS256"}]}
    assert jwks.candidates(keys, "RS256", None) == []
    assert len(jwks.candidates(keys, "PS256", None)) == 1


def test_the_key_id_chooses_and_keys_without_one_come_last() -> None:
    unnamed = {name: value for name, value in OTHER.public.items() if name != "kid"}
    keys = {"keys": [unnamed, {**OTHER.public, "kid": "third"}, RSA.public]}
    moduli = [key["n"] for key in jwks.candidates(keys, "RS256", "rsa")]
    assert moduli == [RSA.public["n"], unnamed["n"]]
    assert len(jwks.candidates(keys, "RS256", None)) == 3


def test_only_so_many_keys_are_tried() -> None:
    keys = {"keys": [{**RSA.public, "kid": str(number)} for number in range(500)]}
    assert len(jwks.candidates(keys, "RS256", None)) == jwks.MAX_CANDIDATES
    assert len(jwks.candidates(keys, "RS256", "499")) == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "n", "e", "x", "y", "d", "k", "use", "alg", "kid", "key_ops"]), _json
    ),
    st.sampled_from(sorted(jwks.ALGORITHMS)),
)
def test_whatever_a_key_set_holds_it_is_passed_over_or_used(key: dict[str, Any], algorithm: str) -> None:
    for candidate in jwks.candidates({"keys": [key, 7]}, algorithm, None):
        assert all(isinstance(value, str) for value in candidate.values())
    assert jwks.candidates({"keys": key}, algorithm, None) == []
