"""What each identity provider needs of the settings."""

import pytest

from server.settings import load_settings
from tests.test_settings import refusal

pytestmark = pytest.mark.usefixtures("nothing_set")

REGISTRATION = {"OAUTH_CLIENT_ID": "id", "OAUTH_CLIENT_SECRET": "hunter2"}
TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"


@pytest.mark.parametrize(
    ("provider", "given", "missing"),
    [
        ("google", {}, "it needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET too"),
        ("google", {"OAUTH_CLIENT_ID": "id"}, "it needs OAUTH_CLIENT_SECRET too"),
        ("entra", REGISTRATION, "it needs OAUTH_TENANT_ID too"),
        ("azure", {}, "it needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET and OAUTH_TENANT_ID too"),
        ("okta", REGISTRATION, "it needs OAUTH_UPSTREAM_ISSUER too"),
        ("auth0", REGISTRATION, "it needs OAUTH_UPSTREAM_ISSUER too"),
        ("oidc", {}, "it needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET and OAUTH_UPSTREAM_ISSUER too"),
        (
            "entra",
            {**REGISTRATION, "OAUTH_TENANT_ID": TENANT, "OAUTH_UPSTREAM_ISSUER": "https://login.example.com/v2.0"},
            "its OAUTH_UPSTREAM_ISSUER must contain {tenantid}",
        ),
        (
            "oidc",
            {**REGISTRATION, "OAUTH_UPSTREAM_ISSUER": "https://login.example.com/{tenantid}"},
            "its OAUTH_UPSTREAM_ISSUER must not contain {tenantid}",
        ),
    ],
)
def test_a_provider_says_in_one_line_what_it_needs_beside(
    monkeypatch: pytest.MonkeyPatch, provider: str, given: dict[str, str], missing: str
) -> None:
    for variable, value in {"OAUTH_PROVIDER": provider, **given}.items():
        monkeypatch.setenv(variable, value)
    message = refusal()
    assert message.startswith(f"OAUTH_PROVIDER={provider!r}: {missing}; it takes ")
    assert "hunter2" not in message


@pytest.mark.parametrize(("name", "means"), [("entra", "entra"), ("azure", "entra")])
def test_azure_is_another_name_of_entra(monkeypatch: pytest.MonkeyPatch, name: str, means: str) -> None:
    for variable, value in {"OAUTH_PROVIDER": name, "OAUTH_TENANT_ID": TENANT, **REGISTRATION}.items():
        monkeypatch.setenv(variable, value)
    assert load_settings().oauth_provider == means


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"])
def test_addresses_decide_nothing_where_nobody_vouches_for_them(monkeypatch: pytest.MonkeyPatch, tenant: str) -> None:
    given = {"OAUTH_PROVIDER": "entra", "OAUTH_TENANT_ID": tenant, **REGISTRATION}
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    assert load_settings().oauth_allowed_users == ()
    monkeypatch.setenv("OAUTH_ALLOWED_USERS", "@example.com")
    message = refusal()
    assert message.startswith("OAUTH_ALLOWED_USERS='@example.com': with OAUTH_TENANT_ID=")
    assert "nobody vouches for e-mail addresses" in message
    monkeypatch.setenv("OAUTH_TENANT_ID", TENANT)
    assert load_settings().oauth_allowed_users == ("@example.com",)
