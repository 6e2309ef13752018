"""What is asked of the provider and believed of its answers: every rule of the ID token, one by one."""

import asyncio
from typing import Any

import jwt
import pytest
from aiohttp import web

from server.identity.oidc import errors
from server.identity.oidc.hop import Wish
from tests.identity.oidc.conftest import Talk
from tests.site import KEYS, OTHER, RSA, Key
from tests.support import START
from tests.upstream import Provider, provide

GUID = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
OTHER_GUID = "82229342-1101-4ab6-817b-70c0747630f3"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


async def test_a_user_is_known_by_issuer_and_subject(talk: Talk) -> None:
    person = (await talk.sign_in()).person
    assert (person.issuer, person.subject) == (talk.provider.issuer, "ada")
    assert (person.name, person.email) == ("Ada Lovelace", "ada@example.com")


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


@pytest.mark.parametrize("issuer", ["https://evil.example", ...])
async def test_an_answer_of_another_issuer_is_a_mix_up(talk: Talk, issuer: Any) -> None:
    with pytest.raises(errors.Untrusted, match=r"is of the issuer|does not name its issuer"):
        await talk.sign_in(iss=issuer)
    assert "/token" not in talk.provider.site.asked


async def test_a_provider_that_does_not_name_itself_need_not(provider: Provider) -> None:
    provider.describe(authorization_response_iss_parameter_supported=...)
    assert (await Talk(provider).sign_in(iss=...)).person.subject == "ada"
    with pytest.raises(errors.Untrusted, match="is of the issuer"):
        await Talk(provider).sign_in(iss="https://evil.example")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("access_denied", errors.Denied),
        ("interaction_required", errors.Denied),
        ("temporarily_unavailable", errors.Unreachable),
        ("unauthorized_client", errors.Misconfigured),
        ("what_is_this", errors.Misconfigured),
    ],
)
async def test_an_error_in_place_of_a_code_is_told_by_its_kind(
    talk: Talk, code: str, kind: type[errors.UpstreamError]
) -> None:
    with pytest.raises(kind, match=f"'{code}' .'some words'."):
        await talk.sign_in(error=code, error_description="some words", code=...)


async def test_an_answer_without_code_and_error_is_refused(talk: Talk) -> None:
    with pytest.raises(errors.Untrusted, match="neither code nor error"):
        await talk.sign_in(code=...)


@pytest.mark.parametrize("vouched", [False, "true", 1, None, ...])
async def test_an_address_that_is_not_vouched_for_does_not_count(talk: Talk, vouched: Any) -> None:
    talk.provider.claims = {"email_verified": vouched}
    assert (await talk.sign_in()).person.email is None


@pytest.mark.parametrize("address", ["ban\N{KELVIN SIGN}@example.com", "a@b@c", "a\nb@example.com", "ada", "", 7, ...])
async def test_what_is_no_address_or_looks_like_anothers_does_not_count(talk: Talk, address: Any) -> None:
    talk.provider.claims = {"email": address}
    assert (await talk.sign_in()).person.email is None


async def test_user_info_gives_the_address_that_the_id_token_leaves_out(talk: Talk) -> None:
    talk.provider.claims = {"email": ..., "email_verified": ..., "name": ...}
    talk.provider.userinfo = {"sub": "ada", "email": "ada@example.com", "email_verified": True, "name": "Ada"}
    person = (await talk.sign_in()).person
    assert (person.email, person.name) == ("ada@example.com", "Ada")


async def test_user_info_says_whether_an_address_counts_where_the_id_token_does_not(talk: Talk) -> None:
    talk.provider.claims = {"email_verified": ...}
    talk.provider.userinfo = {"sub": "ada", "email": "ada@example.com", "email_verified": True}
    assert (await talk.sign_in()).person.email == "ada@example.com"
    talk.provider.claims = {"email_verified": False}
    assert (await talk.sign_in()).person.email is None


async def test_an_address_and_who_vouches_for_it_come_from_one_place(talk: Talk) -> None:
    talk.provider.claims = {"email": ..., "email_verified": True}
    talk.provider.userinfo = {"sub": "ada", "email": "boss@example.com", "email_verified": False}
    assert (await talk.sign_in()).person.email is None


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": ..., "preferred_username": " ada "}, "ada"),
        ({"name": "  ", "nickname": "Countess"}, "Countess"),
        ({"name": 7}, None),
        ({"name": "A" * 500}, "A" * 320),
        ({"name": "Ada \ud800"}, "Ada"),
    ],
)
async def test_a_name_is_what_people_are_called_by(talk: Talk, claims: dict[str, Any], name: str | None) -> None:
    talk.provider.claims = claims
    assert (await talk.sign_in()).person.name == name


async def test_user_info_that_makes_no_sense_is_none(talk: Talk) -> None:
    async def nested(_request: web.BaseRequest) -> web.Response:
        return web.Response(text="[" * 30_000, content_type="application/json")

    talk.provider.claims = {"email": ...}
    talk.provider.site.pages["/userinfo"] = nested
    assert (await talk.sign_in()).person.email is None


async def test_user_info_of_somebody_else_is_refused(talk: Talk) -> None:
    talk.provider.claims = {"email": ...}
    talk.provider.userinfo = {"sub": "eve", "email": "ada@example.com", "email_verified": True}
    with pytest.raises(errors.Untrusted, match="another sub"):
        await talk.sign_in()


async def test_without_user_info_the_sign_in_goes_on_unless_the_address_is_needed(talk: Talk) -> None:
    talk.provider.claims = {"email": ...}
    assert (await talk.sign_in()).person.email is None
    with pytest.raises(errors.Unreachable, match="no e-mail address can be had: the UserInfo endpoint answered 401"):
        await talk.sign_in(email_needed=True)


async def test_a_sign_in_anew_must_be_new_where_the_provider_says_when_it_was(talk: Talk) -> None:
    talk.provider.claims = {"auth_time": START - 61}
    with pytest.raises(errors.Untrusted, match="its auth_time is before"):
        await talk.sign_in(Wish(("login",)))
    assert (await talk.sign_in(Wish(max_age=60))).person.subject == "ada"
    with pytest.raises(errors.Untrusted, match="its auth_time is before"):
        await talk.sign_in(Wish(max_age=0))


def entra(provider: Provider, tenant: str, **changes: Any) -> Talk:
    """Make Entra of a provider whose issuer ends in /v2.0: the same origin, any tenant."""
    origin = provider.site.origin
    talk = Talk(
        provider,
        {
            "oauth_provider": "entra",
            "oauth_tenant_id": tenant,
            "oauth_upstream_issuer": f"{origin}/{{tenantid}}/v2.0",
        },
    )
    issuer = f"{origin}/{ {'consumers': CONSUMERS}.get(tenant, tenant if '-' in tenant else '{tenantid}') }/v2.0"
    provider.issuer = f"{origin}/{tenant}/v2.0"
    provider.describe(issuer=issuer, authorization_response_iss_parameter_supported=..., **changes)
    provider.claims = {"email_verified": ..., "iss": f"{origin}/{GUID}/v2.0", "tid": GUID}
    return talk


async def test_users_of_two_tenants_with_one_subject_are_two(provider: Provider) -> None:
    talk = entra(provider, "common")
    first = (await talk.sign_in(iss=...)).person
    provider.claims |= {"iss": f"{provider.site.origin}/{OTHER_GUID}/v2.0", "tid": OTHER_GUID}
    second = (await talk.sign_in(iss=...)).person
    assert first.subject == second.subject
    assert first.issuer == f"{provider.site.origin}/{GUID}/v2.0"
    assert second.issuer == f"{provider.site.origin}/{OTHER_GUID}/v2.0"


@pytest.mark.parametrize(
    ("tenant", "claims"),
    [
        ("common", {"tid": OTHER_GUID}),
        ("common", {"tid": ...}),
        ("common", {"tid": "evil/../" + GUID}),
        ("common", {"iss": "https://evil.example/" + GUID + "/v2.0"}),
        ("organizations", {"tid": CONSUMERS, "iss": "{origin}/" + CONSUMERS + "/v2.0"}),
        ("consumers", {}),
        (OTHER_GUID, {}),
    ],
)
async def test_the_issuer_must_be_the_tenant_that_the_user_belongs_to(
    provider: Provider, tenant: str, claims: dict[str, Any]
) -> None:
    talk = entra(provider, tenant)
    provider.claims |= {
        name: value.replace("{origin}", provider.site.origin) if isinstance(value, str) else value
        for name, value in claims.items()
    }
    with pytest.raises(errors.Untrusted, match=r"its iss is|its tid is|personal account"):
        await talk.sign_in(iss=...)


async def test_a_personal_account_is_welcome_where_the_tenant_is_consumers(provider: Provider) -> None:
    talk = entra(provider, "consumers")
    provider.claims |= {"tid": CONSUMERS, "iss": f"{provider.site.origin}/{CONSUMERS}/v2.0"}
    assert (await talk.sign_in(iss=...)).person.subject == "ada"


async def test_a_key_of_one_tenant_signs_for_no_other(provider: Provider) -> None:
    talk = entra(provider, "common")
    provider.publish_keys(RSA, issuer=f"{provider.site.origin}/{OTHER_GUID}/v2.0")
    with pytest.raises(errors.Untrusted, match="no key of the provider"):
        await talk.sign_in(iss=...)
    talk.now += 31
    provider.publish_keys(RSA, issuer=f"{provider.site.origin}/{{tenantid}}/v2.0")
    assert (await talk.sign_in(iss=...)).person.subject == "ada"


@pytest.mark.parametrize(
    ("tenant", "claims", "counts"),
    [
        (GUID, {}, True),
        (GUID, {"xms_edov": False}, False),
        (GUID, {"email_verified": False}, False),
        ("common", {}, False),
        ("common", {"xms_edov": True}, True),
        ("common", {"xms_edov": "1"}, True),
        ("common", {"xms_edov": False}, False),
        ("common", {"xms_edov": 0}, False),
        ("organizations", {}, False),
    ],
)
async def test_entra_vouches_for_an_address_by_its_own_claim_or_as_the_only_tenant(
    provider: Provider, tenant: str, claims: dict[str, Any], *, counts: bool
) -> None:
    talk = entra(provider, tenant)
    provider.claims |= claims
    assert (await talk.sign_in(iss=...)).person.email == ("ada@example.com" if counts else None)


async def test_an_answer_may_name_any_tenant_of_the_issuer(provider: Provider) -> None:
    talk = entra(provider, "common")
    assert (await talk.sign_in(iss=f"{provider.site.origin}/{GUID}/v2.0")).person.subject == "ada"
    with pytest.raises(errors.Untrusted, match="is of the issuer"):
        await talk.sign_in(iss=f"{provider.site.origin}/evil/v2.0")
