"""The conversation with the provider: its metadata, its keys, and what it answers when asked about a code."""

import asyncio
from typing import Any

import pytest

from server.identity.oidc import errors
from tests.identity.oidc.conftest import Talk
from tests.site import OTHER, RSA, Key
from tests.support import START
from tests.upstream import Provider, provide


async def test_a_user_is_known_by_issuer_and_subject(talk: Talk) -> None:
    person = (await talk.sign_in()).person
    assert (person.issuer, person.subject) == (talk.provider.issuer, "ada")
    assert (person.name, person.email) == ("Ada Lovelace", "ada@example.com")


async def test_another_key_signs_nobody_in(talk: Talk) -> None:
    talk.provider.key = Key(OTHER.private, "RS256", RSA.kid)
    with pytest.raises(errors.Untrusted, match="no key of the provider has signed it"):
        await talk.sign_in()


async def test_a_rotated_key_is_fetched_at_once(talk: Talk) -> None:
    await talk.sign_in()
    talk.now += 31
    talk.provider.key = OTHER
    talk.provider.publish_keys(RSA, OTHER)
    assert (await talk.sign_in()).person.subject == "ada"
    assert talk.provider.site.asked.count("/jwks") == 2


async def test_a_key_that_changed_under_its_old_id_is_fetched_too(talk: Talk) -> None:
    await talk.sign_in()
    talk.now += 31
    talk.provider.key = Key(OTHER.private, "RS256", RSA.kid)
    talk.provider.publish_keys(talk.provider.key)
    assert (await talk.sign_in()).person.subject == "ada"


async def test_wrong_keys_make_us_ask_at_most_every_half_minute(talk: Talk) -> None:
    talk.provider.key = OTHER
    for _ in range(3):
        with pytest.raises(errors.Untrusted):
            await talk.sign_in()
    assert talk.provider.site.asked.count("/jwks") == 1


async def test_metadata_and_keys_are_kept(talk: Talk) -> None:
    for _ in range(3):
        await talk.sign_in()
    asked = talk.provider.site.asked
    assert (asked.count("/.well-known/openid-configuration"), asked.count("/jwks")) == (1, 1)


async def test_what_was_known_serves_on_for_a_day_while_the_provider_is_silent(talk: Talk) -> None:
    await talk.sign_in()
    pages = talk.provider.site.pages
    kept = {path: pages.pop(path) for path in ("/.well-known/openid-configuration", "/jwks")}
    talk.now = talk.provider.now = START + 86_000
    assert (await talk.sign_in()).person.subject == "ada"
    talk.now = talk.provider.now = START + 300 + 86_400
    with pytest.raises(errors.Unreachable, match="status 404"):
        await talk.sign_in()
    pages |= kept
    talk.now += 30
    assert (await talk.sign_in()).person.subject == "ada"


async def test_a_provider_that_is_down_cannot_be_reached(talk: Talk) -> None:
    talk.provider.site.down = True
    with pytest.raises(errors.Unreachable, match="status 503"):
        await talk.sign_in()


async def test_a_provider_that_is_not_there_cannot_be_reached(nothing_set: None) -> None:  # noqa: ARG001 - for its effect
    async with provide() as gone:
        talk = Talk(gone)
    with pytest.raises(errors.Unreachable, match="could not be reached"):
        await talk.sign_in()


async def test_a_slow_provider_is_given_up(talk: Talk) -> None:
    await talk.upstream.metadata(talk.now)
    talk.provider.site.pause = 1.2
    async with asyncio.timeout(5):
        with pytest.raises(errors.Unreachable, match="not answered in full within 1 seconds"):
            await talk.sign_in()


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_token_endpoint_that_fails_is_out_of_reach(talk: Talk, status: int) -> None:
    talk.provider.failure = (status, {})
    with pytest.raises(errors.Unreachable, match=f"the token endpoint answered {status}"):
        await talk.sign_in()


async def test_a_wrong_client_secret_names_the_settings_to_look_at(talk: Talk) -> None:
    talk.provider.secret = "another"
    with pytest.raises(errors.Misconfigured, match=r"401 'invalid_client'.*OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET"):
        await talk.sign_in()


async def test_a_code_that_the_provider_takes_back_is_no_sign_in(talk: Talk) -> None:
    talk.provider.failure = (400, {"error": "invalid_grant", "error_description": "code is over"})
    with pytest.raises(errors.Refused, match=r"400 'invalid_grant' .'code is over'."):
        await talk.sign_in()


async def test_a_redirect_of_the_token_endpoint_is_not_followed(talk: Talk) -> None:
    talk.provider.failure = (307, {})
    with pytest.raises(errors.Misconfigured, match="answered 307"):
        await talk.sign_in()


async def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(provider: Provider) -> None:
    provider.describe(token_endpoint_auth_methods_supported=["client_secret_post"])
    assert (await Talk(provider).sign_in()).person.subject == "ada"
    assert "Authorization" not in provider.site.seen[-1].headers


async def test_the_secret_goes_into_the_form_for_auth0(provider: Provider) -> None:
    provider.describe(token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"])
    assert (await Talk(provider, {"oauth_provider": "auth0"}).sign_in()).person.subject == "ada"
    assert "Authorization" not in provider.site.seen[-1].headers


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"issuer": "https://evil.example"}, "OAUTH_UPSTREAM_ISSUER"),
        ({"issuer": ...}, "OAUTH_UPSTREAM_ISSUER"),
        ({"authorization_endpoint": ...}, "no authorization_endpoint"),
        ({"token_endpoint": "http://evil.example/token"}, "an unusable token_endpoint"),
        ({"jwks_uri": 7}, "an unusable jwks_uri"),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, "it signs ID tokens by HS256"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "no client secret"),
        ({"code_challenge_methods_supported": ["plain"]}, "not by S256"),
    ],
)
async def test_metadata_that_cannot_be_used_says_what_is_wrong(
    provider: Provider, changes: dict[str, Any], said: str
) -> None:
    provider.describe(**changes)
    with pytest.raises(errors.Misconfigured, match=said):
        await Talk(provider).sign_in()


async def test_a_slash_at_the_end_of_the_issuer_is_no_other_issuer(provider: Provider) -> None:
    provider.issuer += "/"
    provider.describe()
    talk = Talk(provider, {"oauth_upstream_issuer": provider.issuer.rstrip("/")})
    assert (await talk.sign_in()).person.issuer == provider.issuer
