"""Every rule of the ID token, one by one."""

from typing import Any

import jwt
import pytest

from server.identity.oidc import errors
from server.identity.oidc.hop import Wish
from tests.identity.oidc.conftest import Talk
from tests.site import KEYS, RSA
from tests.support import START


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://evil.example"}, "its iss is 'https://evil.example'"),
        ({"iss": ...}, "its iss is None"),
        ({"aud": "somebody-else"}, "its aud is not this server's client id"),
        ({"aud": ["somebody-else"]}, "its aud is not this server's client id"),
        ({"aud": []}, "its aud is not this server's client id"),
        ({"aud": ["this-server", "somebody-else"]}, "its azp is not this server's client id"),
        ({"aud": ["this-server", "somebody-else"], "azp": "somebody-else"}, "its azp is not"),
        ({"azp": "somebody-else"}, "its azp is not this server's client id"),
        ({"exp": ...}, "its exp or iat is missing"),
        ({"iat": ...}, "its exp or iat is missing"),
        ({"exp": "tomorrow"}, "its exp is not a time"),
        ({"nonce": "another"}, "its nonce is not the one that was sent"),
        ({"nonce": ...}, "its nonce is not the one that was sent"),
        ({"sub": ...}, "its sub is missing"),
        ({"sub": ""}, "its sub is missing"),
        ({"sub": 7}, "its sub is missing"),
        ({"sub": "x" * 256}, "its sub is missing, or not 1 to 255"),
    ],
)
async def test_an_id_token_that_breaks_a_rule_signs_nobody_in(talk: Talk, claims: dict[str, Any], said: str) -> None:
    talk.provider.claims = claims
    with pytest.raises(errors.Untrusted, match=said):
        await talk.sign_in()


@pytest.mark.parametrize(
    "claims", [{"exp": START - 61}, {"iat": START + 61}, {"nbf": START + 61}, {"exp": START - 60, "iat": START - 90}]
)
async def test_an_id_token_of_another_time_says_that_a_clock_is_wrong(talk: Talk, claims: dict[str, Any]) -> None:
    talk.provider.claims = claims
    with pytest.raises(errors.ClockOff, match=r"by this server's clock|ahead of this server's clock"):
        await talk.sign_in()


async def test_clocks_may_differ_by_a_minute(talk: Talk) -> None:
    talk.provider.claims = {"exp": START - 59, "iat": START + 60, "nbf": START + 60}
    assert (await talk.sign_in()).person.subject == "ada"


async def test_several_audiences_are_fine_when_the_token_was_made_for_us(talk: Talk) -> None:
    talk.provider.claims = {"aud": ["this-server", "an-api"], "azp": "this-server"}
    assert (await talk.sign_in()).person.subject == "ada"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_each_algorithm_that_the_provider_names_is_served(talk: Talk, algorithm: str) -> None:
    talk.provider.key = KEYS[algorithm]
    talk.provider.publish_keys(KEYS[algorithm])
    assert (await talk.sign_in()).person.subject == "ada"


async def test_an_algorithm_that_the_provider_does_not_name_is_refused(talk: Talk) -> None:
    talk.provider.key = KEYS["EdDSA"]
    talk.provider.publish_keys(KEYS["EdDSA"])
    with pytest.raises(errors.Untrusted, match="its alg is not among RS256 ES256"):
        await talk.sign_in()


async def test_an_unsigned_token_is_refused_though_the_provider_names_none(talk: Talk) -> None:
    claims = {"iss": talk.provider.issuer, "sub": "ada", "aud": "this-server", "exp": START + 60, "iat": START}
    talk.provider.id_token = jwt.encode(claims, "", algorithm="none")
    with pytest.raises(errors.Untrusted, match="its alg is none of"):
        await talk.sign_in()


async def test_a_public_key_is_never_used_as_a_shared_secret(talk: Talk) -> None:
    key = "-----PUBLIC KEY, AS EVERYBODY KNOWS IT-----"
    claims = {"iss": talk.provider.issuer, "sub": "ada", "aud": "this-server", "exp": START + 60, "iat": START}
    talk.provider.id_token = jwt.encode(claims, key, algorithm="HS256", headers={"kid": RSA.kid})
    with pytest.raises(errors.Untrusted, match="its alg is none of"):
        await talk.sign_in()


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 40_000])
async def test_what_is_no_token_is_refused(talk: Talk, token: str) -> None:
    talk.provider.failure = (200, {"id_token": token})
    with pytest.raises(errors.Untrusted, match="the ID token is not good"):
        await talk.sign_in()


async def test_an_answer_without_an_id_token_is_refused(talk: Talk) -> None:
    talk.provider.failure = (200, {"access_token": "x"})
    with pytest.raises(errors.Untrusted, match="without an id_token"):
        await talk.sign_in()


async def test_a_sign_in_anew_must_be_new_where_the_provider_says_when_it_was(talk: Talk) -> None:
    talk.provider.claims = {"auth_time": START - 61}
    with pytest.raises(errors.Untrusted, match="its auth_time is before"):
        await talk.sign_in(Wish(("login",)))
    assert (await talk.sign_in(Wish(max_age=60))).person.subject == "ada"
    with pytest.raises(errors.Untrusted, match="its auth_time is before"):
        await talk.sign_in(Wish(max_age=0))
