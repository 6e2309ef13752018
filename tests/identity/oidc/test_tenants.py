"""Entra, whose users belong to tenants."""

from typing import Any

import pytest

from server.identity.oidc import errors
from tests.identity.oidc.conftest import Talk
from tests.site import RSA
from tests.upstream import Provider

GUID = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
OTHER_GUID = "82229342-1101-4ab6-817b-70c0747630f3"
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"


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
